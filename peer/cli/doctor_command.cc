// `starling doctor`: why a daemon cannot be reached, or two do not meet.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/flags/flag.h"
#include "absl/time/clock.h"
#include "peer/cli/commands.h"
#include "peer/cli/doctor.h"
#include "peer/cli/endpoint_flag.h"
#include "peer/cli/grpc_status_client.h"
#include "peer/cli/live_screen.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/host_port.h"

ABSL_FLAG(std::string, from, "",
          "host:port of a second daemon, which should get on with the first: the two are compared");

namespace starling {
namespace {

constexpr char kHelp[] =
    R"(Examines the daemon at HOST:PORT from here: address, port, listener, what it tells others to dial.
With --from also a second one, and why the two do not meet: version, identity, run, model, clock,
and what each says of the other. Every problem comes with a fix.

examples:
  starling doctor 10.0.0.7:7700
  starling doctor 10.0.0.7:7700 --from=10.0.0.8:7700

exit codes: 0 nothing is wrong, 1 a problem was found, 64 wrong usage
)";

constexpr absl::Duration kConnectWait = absl::Seconds(3);

absl::StatusOr<DoctorFacts> Look(const std::string& endpoint) {
  const auto address = ParseHostPort(endpoint);
  if (!address.ok()) return address.status();
  auto client = StatusClient::Create(endpoint);
  if (!client.ok()) return client.status();
  DoctorFacts facts;
  facts.endpoint = endpoint;
  facts.tcp = ProbeTcp(address->host, address->port, kConnectWait);
  if (facts.tcp.outcome != TcpProbe::Outcome::kOpen) return facts;
  const absl::Time asked = absl::Now();
  auto status = (*client)->GetStatus(kSmallAnswerWait);
  facts.answered_in = absl::Now() - asked;
  facts.seen = asked + facts.answered_in / 2;
  facts.no_status = status.status();
  if (status.ok()) facts.status = *std::move(status);
  return facts;
}

int Run(const std::string& endpoint) {
  if (endpoint.empty()) {
    return Fail(absl::InvalidArgumentError("which daemon? starling doctor HOST:PORT"));
  }
  std::vector<std::string> endpoints = {endpoint};
  if (!absl::GetFlag(FLAGS_from).empty()) endpoints.push_back(absl::GetFlag(FLAGS_from));
  const bool colour = LiveScreen(stdout).colour();
  bool problem = false;
  auto show = [&](const std::string& title, const std::vector<Finding>& findings) {
    std::printf("%s\n%s", title.c_str(), RenderFindings(findings, colour).c_str());
    problem |= AnyProblem(findings);
  };
  std::vector<DoctorFacts> daemons;
  for (const std::string& each : endpoints) {
    auto facts = Look(each);
    if (!facts.ok()) return Fail(facts.status());
    daemons.push_back(*std::move(facts));
    show(each, Examine(daemons.back()));
  }
  if (daemons.size() == 2 && daemons[0].status && daemons[1].status) {
    show("the two together", Compare(daemons[0], daemons[1]));
  }
  if (getenv("http_proxy") != nullptr || getenv("https_proxy") != nullptr) {
    std::puts("http_proxy is set; daemons ignore it");
  }
  return problem ? kExitOther : kExitOk;
}

}  // namespace

Command DoctorCommand() {
  return {.name = "doctor",
          .summary = "why a daemon cannot be reached, or two do not meet",
          .help = kHelp,
          .flag_files = {"peer/cli/doctor_command.cc"},
          .run = Run,
          .argument = "HOST:PORT"};
}

}  // namespace starling
