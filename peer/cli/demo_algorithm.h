// What the demo has to know of an algorithm before it starts anything. Pure.

#ifndef STARLING_PEER_CLI_DEMO_ALGORITHM_H_
#define STARLING_PEER_CLI_DEMO_ALGORITHM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "peer/cli/demo_options.h"

namespace starling {

// `options` for a run of `algorithm` (name[:option=value,...]): whether a centre is needed and, if the
// user named no optimizer, the usual one of an algorithm that does not go with all of them.
// INVALID_ARGUMENT: there is no such algorithm or option, or it does not go with so many workers or
// with the user's optimizer; says what would. Or its exchanges do not go with the codecs; an algorithm without
// exchanges has none.
absl::StatusOr<DemoOptions> WithAlgorithm(DemoOptions options, absl::string_view algorithm);

// --compare asks for more than one algorithm: "all", or a list in the sense below.
bool IsList(absl::string_view compare);

// The algorithms that --compare asks for beside `own`: "all", or a list in which a comma followed by
// option=value goes on with the options of the algorithm before it ("sgp,easgd:tau=4,beta=0.5,lsgd").
// `own` is among them; each is there once, in the order of the registry, variants of one algorithm in
// the order they were given.
// INVALID_ARGUMENT: an algorithm or an option that does not exist, or a value that it cannot have.
absl::StatusOr<std::vector<std::string>> ComparedAlgorithms(absl::string_view own,
                                                            absl::string_view compare);

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_ALGORITHM_H_
