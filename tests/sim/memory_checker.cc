#include "tests/sim/memory_checker.h"

#include "absl/strings/str_cat.h"
#include "tests/sim/simulation.h"

namespace starling {
namespace {

class MemoryChecker final : public Checker {
 public:
  absl::string_view name() const override { return "memory"; }

  void Look(const Simulation& simulation) override {
    for (const SimPeer* peer : simulation.watched()) {
      for (const Holding& holding : peer->GetHoldings()) {
        if (holding.count <= holding.limit) continue;
        Complain(absl::StrCat("peer ", peer->spec().node, " holds ", holding.count, " ",
                              std::string(holding.what), ", limit ", holding.limit));
      }
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeMemoryChecker() { return std::make_unique<MemoryChecker>(); }

}  // namespace starling
