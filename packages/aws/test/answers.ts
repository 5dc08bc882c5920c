/** STS's answers that say no. */
export const refusal =
  (code: string, status = 400) =>
  () =>
    new Response(
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>` +
        `<Code>${code}</Code><Message>It said no</Message></Error><RequestId>req-1</RequestId></ErrorResponse>`,
      { status, headers: { "content-type": "text/xml" } }
    )
