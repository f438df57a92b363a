#include "peer/cli/doctor.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/message_differencer.h"
#include "peer/cli/ansi.h"
#include "peer/runtime/host_port.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// Nothing of ours goes by the wall clock, so only people's logs suffer from a difference.
constexpr absl::Duration kSameTime = absl::Seconds(2);

class Findings {
 public:
  void Good(std::string topic, std::string text) {
    Add(Finding::Kind::kGood, std::move(topic), std::move(text), "");
  }
  void Note(std::string topic, std::string text, std::string fix = "") {
    Add(Finding::Kind::kNote, std::move(topic), std::move(text), std::move(fix));
  }
  void Problem(std::string topic, std::string text, std::string fix) {
    Add(Finding::Kind::kProblem, std::move(topic), std::move(text), std::move(fix));
  }
  std::vector<Finding> Take() { return std::move(all_); }

 private:
  void Add(Finding::Kind kind, std::string topic, std::string text, std::string fix) {
    all_.push_back({kind, std::move(topic), std::move(text), std::move(fix)});
  }
  std::vector<Finding> all_;
};

std::string Host(const std::string& address) {
  const auto parsed = ParseHostPort(address);
  return parsed.ok() ? parsed->host : std::string();
}
std::string Port(const std::string& address) {
  const auto parsed = ParseHostPort(address);
  return parsed.ok() ? parsed->port : std::string();
}

// "PEER_STATE_ALIVE" -> "ALIVE", "PHASE_TRAINING" -> "TRAINING"
std::string Word(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return std::string(name);
}

void ExaminePort(const DoctorFacts& daemon, Findings& findings) {
  const std::string host = Host(daemon.endpoint);
  const std::string port = Port(daemon.endpoint);
  const std::string where = absl::StrJoin(daemon.tcp.addresses, ", ");
  if (daemon.tcp.outcome == TcpProbe::Outcome::kUnresolved) {
    findings.Problem("address", absl::StrCat(host, " is not known here: ", daemon.tcp.detail),
                     "correct the name, or give the number; see /etc/hosts and the DNS server of this machine");
    return;
  }
  if (where != host) findings.Good("address", absl::StrCat(host, " is ", where));
  switch (daemon.tcp.outcome) {
    case TcpProbe::Outcome::kOpen:
      findings.Good("port", absl::StrCat(port, " accepts connections"));
      break;
    case TcpProbe::Outcome::kRefused:
      findings.Problem("port", absl::StrCat(where, " is up, but nothing listens on its port ", port),
                       absl::StrCat("is the daemon running there? one that listens on 127.0.0.1 only is not reached "
                                    "from other machines: start it with --listen=0.0.0.0:", port,
                                    " --advertise=", host, ":", port));
      break;
    case TcpProbe::Outcome::kSilent:
      findings.Problem("port", absl::StrCat("no answer at all from ", where, ", port ", port),
                       "a firewall drops it, the machine is off or asleep, or the address is another's");
      break;
    default:
      findings.Problem("port", absl::StrCat(where, " cannot be reached: ", daemon.tcp.detail),
                       "is there a route from this machine to that network?");
  }
}

void ExamineAdvertised(const DoctorFacts& daemon, Findings& findings) {
  const std::string& advertised = daemon.status->address();
  const std::string host = Host(advertised);
  if (advertised.empty()) return;
  if (IsUnspecified(host)) {
    findings.Problem("advertised address", absl::StrCat("it tells others to dial ", advertised,
                                                        ", which nobody can"),
                     absl::StrCat("start it with --advertise=", daemon.endpoint));
  } else if (IsLoopback(host) && !IsLoopback(Host(daemon.endpoint))) {
    findings.Problem("advertised address",
                     absl::StrCat("it tells others to dial ", advertised,
                                  ", which on every other machine is that machine itself"),
                     absl::StrCat("start it with --advertise=", daemon.endpoint));
  } else if (advertised != daemon.endpoint) {
    findings.Note("advertised address", absl::StrCat("it tells others to dial ", advertised),
                  "make sure that others reach it there");
  } else {
    findings.Good("advertised address", advertised);
  }
}

const v1::PeerStatus* Find(const v1::Status& viewer, const v1::Status& sought) {
  for (const v1::PeerStatus& peer : viewer.peers()) {
    if (peer.peer_id() == sought.peer_id()) return &peer;
  }
  return nullptr;
}

void ExamineView(const DoctorFacts& viewer, const DoctorFacts& sought, Findings& findings) {
  const std::string topic = absl::StrCat("view of ", viewer.endpoint);
  const v1::PeerStatus* const row = Find(*viewer.status, *sought.status);
  if (sought.status->role() != v1::ROLE_PEER) return;
  if (row == nullptr) {
    findings.Problem(topic, absl::StrCat("it has never heard of ", sought.endpoint),
                     absl::StrCat("give one of the two the other's address: --peers=",
                                  sought.status->address()));
    return;
  }
  const std::string state = Word(v1::PeerState_Name(row->state()), "PEER_STATE_");
  const std::string text =
      absl::StrCat(sought.endpoint, " is ", state, row->reason().empty() ? "" : ": ", row->reason());
  if (row->state() == v1::PEER_STATE_ALIVE || row->state() == v1::PEER_STATE_JOINING) {
    findings.Good(topic, text);
  } else if (row->state() == v1::PEER_STATE_LEFT) {
    findings.Problem(topic, text, "it said goodbye in that life; when it starts anew it is taken in again");
  } else if (row->incarnation() != sought.status->incarnation()) {
    findings.Problem(topic, absl::StrCat(text, " (that was an earlier start of it)"),
                     absl::StrCat("it cannot have heard of the new start: can ", viewer.endpoint,
                                  " be reached from there?"));
  } else {
    findings.Problem(topic, text,
                     absl::StrCat("from the machine of ", viewer.endpoint, " run: starling doctor ",
                                  row->address()));
  }
}

// "model.name: mlp, not cnn", of the first few that differ.
std::string Differences(const v1::RunConfig& one, const v1::RunConfig& other) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string report;
  differencer.ReportDifferencesToString(&report);
  differencer.set_report_ignores(false);
  differencer.IgnoreField(v1::DataConfig::descriptor()->FindFieldByName("directory"));
  if (differencer.Compare(one, other)) return "";
  std::vector<std::string> lines =
      absl::StrSplit(report, '\n', absl::SkipWhitespace());
  if (lines.size() > 4) lines.resize(4);
  for (std::string& line : lines) {
    absl::StripAsciiWhitespace(&line);
    absl::string_view text = line;
    if (!absl::ConsumePrefix(&text, "modified: ") && !absl::ConsumePrefix(&text, "added: ")) {
      absl::ConsumePrefix(&text, "deleted: ");
    }
    line = std::string(text);
  }
  return absl::StrJoin(lines, "; ");
}

}  // namespace

std::vector<Finding> Examine(const DoctorFacts& daemon) {
  Findings findings;
  ExaminePort(daemon, findings);
  if (daemon.tcp.outcome != TcpProbe::Outcome::kOpen) return findings.Take();
  if (!daemon.status) {
    findings.Problem("listener", absl::StrCat("something listens there that is no daemon of ours, or does not answer: ",
                                              daemon.no_status.message()),
                     "another program may hold the port; a daemon that hangs answers again after "
                     "SIGCONT, or must be restarted");
    return findings.Take();
  }
  const v1::Status& status = *daemon.status;
  findings.Good("listener",
                absl::StrCat(status.role() == v1::ROLE_COORDINATOR ? "the coordinator" : "a peer", ", version ",
                             status.version(), ", up for ",
                             absl::FormatDuration(absl::Trunc(absl::Seconds(status.uptime_seconds()),
                                                              absl::Seconds(1))),
                             ", answered in ",
                             absl::FormatDuration(absl::Trunc(daemon.answered_in, absl::Microseconds(100)))));
  ExamineAdvertised(daemon, findings);
  if (status.role() == v1::ROLE_PEER) {
    findings.Good("phase", Word(v1::Phase_Name(status.phase()), "PHASE_"));
  }
  if (!status.last_error().empty()) findings.Note("last error", status.last_error());
  return findings.Take();
}

std::vector<Finding> Compare(const DoctorFacts& one, const DoctorFacts& other) {
  Findings findings;
  const v1::Status& a = *one.status;
  const v1::Status& b = *other.status;
  const auto both = [&](absl::string_view what, absl::string_view first, absl::string_view second) {
    return absl::StrCat(what, " ", first, " at ", one.endpoint, ", ", second, " at ", other.endpoint);
  };
  if (a.version() == b.version()) {
    findings.Good("version", absl::StrCat("both ", a.version()));
  } else {
    findings.Note("version", both("versions differ:", a.version(), b.version()),
                  "run the same version everywhere if anything below is odd");
  }
  if (a.role() == v1::ROLE_PEER && b.role() == v1::ROLE_PEER && a.peer_id() == b.peer_id()) {
    if (a.incarnation() == b.incarnation()) {
      findings.Note("identity", "both addresses lead to the same daemon");
    } else {
      findings.Problem("identity", absl::StrCat("two daemons with the one id ", a.peer_id()),
                       "their --state_dir was copied or shared; remove peer_id from one of them and restart it");
    }
    return findings.Take();
  }
  if (a.run_id() == b.run_id()) {
    findings.Good("run", absl::StrCat("both train ", a.run_id()));
  } else {
    const std::string differences = Differences(a.config(), b.config());
    findings.Problem("run", absl::StrCat(both("they train different runs:", a.run_id(), b.run_id()),
                                         differences.empty() ? "" : ": ", differences),
                     "runs only meet if their configurations are equal; start the newcomer without flags of "
                     "the run, and it takes them from the swarm");
  }
  if (!a.model_fingerprint().empty() && !b.model_fingerprint().empty()) {
    if (a.model_fingerprint() == b.model_fingerprint()) {
      findings.Good("model", absl::StrCat("both ", a.model_fingerprint()));
    } else {
      findings.Problem("model", both("the networks differ:", a.config().model().name(),
                                     b.config().model().name()),
                       "parameters of different networks cannot be averaged; use the same --model");
    }
  }
  if (a.unix_ms() > 0 && b.unix_ms() > 0) {
    const absl::Duration apart = (absl::FromUnixMillis(a.unix_ms()) - one.seen) -
                                 (absl::FromUnixMillis(b.unix_ms()) - other.seen);
    if (absl::AbsDuration(apart) <= kSameTime) {
      findings.Good("clock", "the same within 2 s");
    } else {
      findings.Note("clock", absl::StrCat("they are ", absl::FormatDuration(absl::Trunc(absl::AbsDuration(apart),
                                                                                       absl::Seconds(1))),
                                          " apart"),
                    "training does not mind; logs are harder to compare (chrony, timedatectl)");
    }
  }
  ExamineView(one, other, findings);
  ExamineView(other, one, findings);
  return findings.Take();
}

bool AnyProblem(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.kind == Finding::Kind::kProblem;
  });
}

std::string RenderFindings(const std::vector<Finding>& findings, bool colour) {
  std::string text;
  for (const Finding& finding : findings) {
    switch (finding.kind) {
      case Finding::Kind::kGood:
        absl::StrAppend(&text, Paint(Ink::kGreen, "ok      ", colour));
        break;
      case Finding::Kind::kNote:
        absl::StrAppend(&text, Paint(Ink::kYellow, "note    ", colour));
        break;
      case Finding::Kind::kProblem:
        absl::StrAppend(&text, Paint(Ink::kRed, "PROBLEM ", colour));
    }
    absl::StrAppend(&text, finding.topic, ": ", OneLine(finding.text), "\n");
    if (finding.fix.empty()) continue;
    absl::StrAppend(&text, "        fix: ", OneLine(finding.fix), "\n");
  }
  return text;
}

}  // namespace starling
