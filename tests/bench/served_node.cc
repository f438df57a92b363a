#include "tests/bench/served_node.h"

#include <cstdint>
#include <cstdio>
#include <iostream>

#include "peer/runtime/exit_codes.h"

namespace starling {

int ServeNode(ExchangeNode& node, const std::function<std::string(absl::Duration)>& tell) {
  std::cout << node.address() << std::endl;
  bool has_partner = false;
  for (char what; std::cin.get(what);) {
    if (what == '=') {
      uint64_t partner;
      std::string address;
      std::cin >> partner >> address;
      std::cin.get(what);
      node.Connect(partner, address);
      has_partner = true;
      continue;
    }
    absl::Duration took;
    if (has_partner) {
      const auto exchanged = node.Exchange();
      if (!exchanged.ok()) {
        std::fprintf(stderr, "%s\n", exchanged.status().ToString().c_str());
        return ExitCodeFor(exchanged.status());
      }
      took = *exchanged;
    }
    std::cout << tell(took) << std::endl;
  }
  return kExitOk;
}

}  // namespace starling
