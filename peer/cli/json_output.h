// What programs read: one JSON document, UTF-8, ended by a newline. Field names are a promise: they
// may be added to, and never change their meaning.

#ifndef STARLING_PEER_CLI_JSON_OUTPUT_H_
#define STARLING_PEER_CLI_JSON_OUTPUT_H_

#include <string>
#include <vector>

#include "peer/cli/demo_report.h"

namespace google::protobuf {
class Message;
}

namespace starling {

// A message by protobuf's JSON mapping (64-bit integers are strings), with the field names of the
// .proto file and with fields that have their default value.
std::string MessageJson(const google::protobuf::Message& message);

// The report of a demo; peer/cli/README.md lists the fields. With `comparison`, the second run
// stands under "comparison"."run" and the difference of the averaged models' accuracies under
// "comparison"."difference". `exit_code` is that of the program.
std::string DemoJson(const DemoReport& report, const DemoReport* comparison, int exit_code);

// The reports of several compared runs under "runs", in their order, each with
// "points_below_allreduce".
std::string ComparedJson(const std::vector<DemoReport>& reports, int exit_code);

}  // namespace starling

#endif  // STARLING_PEER_CLI_JSON_OUTPUT_H_
