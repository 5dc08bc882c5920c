/** Who may read, and write, what trusts are made of: https://learn.microsoft.com/graph/permissions-reference */
export const permissions = {
  read: ["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"],
  write: ["Application.ReadWrite.All"],
  grant: ["AppRoleAssignment.ReadWrite.All"]
} as const
