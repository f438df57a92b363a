// DiLoCo by fragments: the model is cut, the fragments take turns, and each one's average travels while up
// to `overlap` steps are made. Peak traffic is one fragment.

#include "peer/algorithms/row.h"
#include "peer/topology/everyone.h"

namespace starling {

AlgorithmRow StreamingDiLoCoRow() {
  return {
      "streaming_diloco",
      "DiLoCo fragment by fragment, overlapped with training",
      "Douillard et al. 2025",
      "2501.18512",
      {{"tau", 48, 1, 1e9, true, true, "steps from one average of a fragment to its next"},
       {"fragments", 4, 1, 64, true, true, "parts of the model; divides tau"},
       {"overlap", 2, 0, 1e6, true, true, "steps made while a fragment travels; below tau / fragments"},
       {"keep", 0.5, 0, 0.99, true, false, "share of the local values that survives a merge"},
       {"rate", 0.7, 0, 2, false, false, "outer step length"},
       {"momentum", 0.9, 0, 0.999, true, false, "outer Nesterov momentum"}},
      AlgorithmGuarantees{.alone_is_local = false, .because = "the outer momentum goes on by itself"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        const uint64_t tau = options.Whole("tau");
        const uint64_t fragments = options.Whole("fragments");
        if (tau % fragments != 0 || options.Whole("overlap") >= tau / fragments) {
          return absl::InvalidArgumentError(absl::StrCat(
              "tau ", tau, " must be a multiple of fragments ",
              fragments, ", and overlap ", options.Whole("overlap"),
              " below their quotient, so that one fragment travels at a time; nearest: tau=",
              std::max<uint64_t>(1, (tau + fragments / 2) / fragments) * fragments));
        }
        if (absl::Status status = CheckOuterNesterov(options["rate"], options["momentum"]);
            !status.ok()) {
          return status;
        }
        Algorithm algorithm;
        algorithm.segments = static_cast<uint32_t>(fragments);
        RoundSpec rounds = PlainRounds(MakeEveryone(), tau / fragments);
        rounds.fragments = static_cast<uint32_t>(fragments);
        rounds.delay = options.Whole("overlap");
        rounds.outer = [rate = options["rate"], momentum = options["momentum"],
                        keep = options["keep"]](size_t elements, bool) {
          return MakeNesterovOuter(elements, rate, momentum, keep);
        };
        algorithm.rounds.push_back(std::move(rounds));
        return algorithm;
      }};
}

}  // namespace starling
