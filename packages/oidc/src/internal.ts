/** Addresses that mean something else to everybody: this machine's and private networks'. */
import { BlockList, isIPv6 } from "node:net"
import { isLoopback } from "@federate/http"

const addresses = new BlockList()
// RFC 1918, 6598, 3927, 1122, 4291, 4193.
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16]
] as const)
  addresses.addSubnet(network, prefix)
for (const [network, prefix] of [
  ["::", 127],
  ["fc00::", 7],
  ["fe80::", 10]
] as const)
  addresses.addSubnet(network, prefix, "ipv6")

/** Whether a URL's host is such an address. What a name resolves to is not looked at: a proxy may do that. */
export const isInternal = (hostname: string): boolean => {
  const address = hostname.replace(/^\[|\]$/g, "")
  return isLoopback(hostname) || addresses.check(address, isIPv6(address) ? "ipv6" : "ipv4")
}
