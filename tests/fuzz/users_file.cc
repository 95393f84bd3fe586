// Our own users file. Input: its text.
#include "controlplane/aaa/users/users.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/secret_text.h"

using culvert::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const culvert::fuzz::SecretText file(data, size);
  culvert::Users users;
  for (const auto& problem : culvert::ReadUsersFile(file.path(), 1, users).errors) {
    Require(!problem.message.empty(), "a problem says what is wrong");
    Require(problem.line >= 0, "lines count from 1, or there is none");
    Require(culvert::config::Format(problem).find('\n') == std::string::npos,
            "a problem is one line");
  }
  Require(users.FixedAddresses().size() <= users.size(), "a user has at most one address");
  const auto found = users.Find("alice");
  Require(found.user == nullptr || found.user->password.empty() || found.user->nt_hash.empty(),
          "a user has a password or a hash, not both");
  return 0;
}
