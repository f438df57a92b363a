#include "peer/cli/command.h"

#include <algorithm>
#include <cstdio>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/flags.h"
#include "peer/runtime/nearest_name.h"
#include "peer/runtime/version.h"

namespace starling {
namespace {

constexpr char kHelp[] = "help";
constexpr char kVersionCommand[] = "version";

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

int UsageError(const std::string& message) {
  std::fputs(absl::StrCat("starling: ", message, "\n").c_str(), stderr);
  return kExitUsage;
}

std::string ProgramHelp(const std::vector<Command>& commands) {
  std::string text =
      "starling: see and steer a swarm of peers that train one network together.\n\n"
      "usage: starling <command> [flags]\n\ncommands:\n";
  const auto add = [&text](const std::string& name, const std::string& summary) {
    absl::StrAppend(&text, absl::StrFormat("  %-10s %s\n", name, summary));
  };
  for (const Command& command : commands) add(command.name, command.summary);
  add(kHelp, "this list, or `starling help <command>`");
  add(kVersionCommand, "the version of this program");
  absl::StrAppend(
      &text,
      "\nexample:\n  starling demo --peers=4 --churn\n\n"
      "exit codes: 0 ok, 64 wrong usage, 69 a daemon is missing or does not answer,\n"
      "70 a daemon failed, 75 not done in time, 128 + n stopped by signal n;\n"
      "peer/cli/README.md has them all.\n");
  return text;
}

std::string CommandHelp(const Command& command) {
  const std::string argument =
      command.argument.empty() ? "" : absl::StrCat(" [", command.argument, "]");
  std::string text =
      absl::StrCat("usage: starling ", command.name, argument, " [flags]\n\n", command.help);
  const std::string flags = FlagsHelp({.files = command.flag_files});
  if (!flags.empty()) absl::StrAppend(&text, "\nflags:\n", flags);
  return text;
}

const Command* Find(const std::vector<Command>& commands, absl::string_view name) {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

int UnknownCommand(const std::vector<Command>& commands, absl::string_view name) {
  std::vector<std::string> known;
  for (const Command& command : commands) known.push_back(command.name);
  known.insert(known.end(), {kHelp, kVersionCommand});
  return UsageError(std::string(UnknownNameError("command", name, known).message()));
}

int Help(const std::vector<Command>& commands, int argc, char** argv) {
  if (argc < 3) {
    Print(ProgramHelp(commands));
    return kExitOk;
  }
  const Command* command = Find(commands, argv[2]);
  if (command == nullptr) return UnknownCommand(commands, argv[2]);
  Print(CommandHelp(*command));
  return kExitOk;
}

}  // namespace

int Dispatch(const std::vector<Command>& commands, int argc, char** argv) {
  const absl::string_view name = argc < 2 ? "" : argv[1];
  if (name.empty()) {
    std::fputs(ProgramHelp(commands).c_str(), stderr);
    return kExitUsage;
  }
  if (name == kHelp || name == "--help" || name == "-h") return Help(commands, argc, argv);
  if (name == kVersionCommand || name == "--version") {
    Print(absl::StrCat("starling ", kVersion, "\n"));
    return kExitOk;
  }
  if (name[0] == '-') {
    return UsageError(
        absl::StrCat("the command comes first, then its flags: starling <command> ", name));
  }
  const Command* command = Find(commands, name);
  if (command == nullptr) return UnknownCommand(commands, name);

  absl::StatusOr<std::vector<std::string>> rest =
      ParseFlags(argc - 1, argv + 1, {.files = command->flag_files});
  if (absl::IsCancelled(rest.status())) {
    Print(CommandHelp(*command));
    return kExitOk;
  }
  if (!rest.ok()) return UsageError(absl::StrCat(name, ": ", rest.status().message()));
  const size_t taken = command->argument.empty() ? 0 : 1;
  if (rest->size() > taken) {
    return UsageError(absl::StrCat(
        name, " takes ",
        taken == 0 ? "flags only" : absl::StrCat("one ", command->argument, " and flags"),
        ", but was given \"", absl::CHexEscape((*rest)[taken]), "\"; see starling help ", name));
  }
  return command->run(rest->empty() ? "" : rest->front());
}

int Fail(const absl::Status& error) {
  std::fputs(absl::StrCat("starling: ", error.message(), "\n").c_str(), stderr);
  return absl::IsResourceExhausted(error) ? kExitTryAgain : ExitCodeFor(error);
}

}  // namespace starling
