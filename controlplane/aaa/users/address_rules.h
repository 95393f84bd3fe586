// AddressRules: the addresses column of pppd's secrets files (pppd(8), SECRETS FILE), as far as it
// makes sense for a server that gives the addresses out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "controlplane/aaa/grants.h"
#include "proto/config/address/address.h"

namespace culvert {

// ApplyAddressRules reads the words into `grants`: the first address that stands alone becomes the
// user's fixed one; all that is allowed, the addresses its pool address may be. As with pppd the
// first word that holds an address decides about it, and what no word holds is not allowed. No
// words, or `*` alone: any address. `-`: none. The answer is what is wrong, or empty.
std::string ApplyAddressRules(std::span<const std::string> words, CallGrants& grants);

}  // namespace culvert
