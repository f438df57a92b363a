#include "peer/runtime/flags.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "peer/runtime/nearest_name.h"

namespace starling {
namespace {

constexpr size_t kHelpColumns = 88;

using Flags = std::map<std::string, absl::CommandLineFlag*>;

Flags FlagsOf(const std::vector<std::string>& files) {
  Flags flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (flag->IsRetired()) continue;
    for (const std::string& file : files) {
      if (absl::StrContains(flag->Filename(), file)) flags.emplace(std::string(name), flag);
    }
  }
  return flags;
}

Flags FlagsInScope(const FlagScope& scope) {
  Flags flags = FlagsOf(scope.files);
  flags.merge(FlagsOf(scope.hidden));
  return flags;
}

absl::CommandLineFlag* Find(const Flags& flags, absl::string_view name) {
  auto found = flags.find(std::string(name));
  return found == flags.end() ? nullptr : found->second;
}

bool IsBoolean(const absl::CommandLineFlag& flag) {
  return flag.IsOfType<bool>() || flag.IsOfType<std::optional<bool>>();
}

absl::Status UnknownFlag(const Flags& flags, absl::string_view argument, absl::string_view name) {
  std::vector<std::string> known = {"help"};
  for (const auto& [flag_name, flag] : flags) known.push_back(flag_name);
  const std::string nearest = NearestName(name, std::move(known));
  const std::string hint = nearest.empty() ? "" : absl::StrCat("did you mean --", nearest, "? ");
  return absl::InvalidArgumentError(
      absl::StrCat("unknown flag ", argument, "; ", hint, "--help lists them all"));
}

absl::Status SetFlag(absl::CommandLineFlag& flag, absl::string_view value) {
  std::string complaint;
  if (flag.ParseFrom(value, &complaint)) return absl::OkStatus();
  // absl opens with "Illegal value '...' specified for flag '...'"; what follows is the type's own.
  const size_t reason = complaint.find("; ");
  complaint = reason == std::string::npos ? "" : absl::StrCat(": ", complaint.substr(reason + 2));
  const std::string is = flag.CurrentValue();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag.Name(), ": \"", value, "\" is not a valid value", complaint,
                   is.empty() ? "" : absl::StrCat("; an example of one is ", is)));
}

void AppendWrapped(const std::string& text, std::string* out) {
  const std::string indent(6, ' ');
  std::string line = indent;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \n\t"), absl::SkipEmpty())) {
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kHelpColumns) {
      absl::StrAppend(out, line, "\n");
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    absl::StrAppend(&line, word);
  }
  if (line.size() > indent.size()) absl::StrAppend(out, line, "\n");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseFlags(int argc, char** argv, const FlagScope& scope) {
  const Flags flags = FlagsInScope(scope);
  std::vector<std::string> positional;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--") {
      positional.insert(positional.end(), argv + i + 1, argv + argc);
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      positional.emplace_back(argument);
      continue;
    }
    if (argument == "--help" || argument == "-h") return absl::CancelledError();
    if (!absl::StartsWith(argument, "--")) {
      const absl::string_view name = argument.substr(1, argument.find('=') - 1);
      if (Find(flags, name) == nullptr) return UnknownFlag(flags, argument, name);
      return absl::InvalidArgumentError(
          absl::StrCat("unknown flag ", argument, "; flags take two dashes: -", argument));
    }

    const size_t equals = argument.find('=');
    const absl::string_view name = argument.substr(2, equals - 2);
    absl::CommandLineFlag* flag = Find(flags, name);
    std::string value;
    if (flag != nullptr && equals != absl::string_view::npos) {
      value = std::string(argument.substr(equals + 1));
    } else if (flag != nullptr && IsBoolean(*flag)) {
      value = "true";
    } else if (flag != nullptr) {
      if (i + 1 == argc || absl::StartsWith(argv[i + 1], "--")) {
        return absl::InvalidArgumentError(
            absl::StrCat(argument, " needs a value: ", argument, "=..."));
      }
      value = argv[++i];
    } else {
      absl::string_view negated = name;
      if (absl::ConsumePrefix(&negated, "no") && equals == absl::string_view::npos) {
        flag = Find(flags, negated);
      }
      if (flag == nullptr || !IsBoolean(*flag)) {
        return UnknownFlag(flags, argument.substr(0, equals), name);
      }
      value = "false";
    }
    if (absl::Status status = SetFlag(*flag, value); !status.ok()) return status;
  }
  return positional;
}

std::string FlagsHelp(const FlagScope& scope) {
  std::string help;
  for (const auto& [name, flag] : FlagsOf(scope.files)) {
    const std::string value = flag->DefaultValue();
    absl::StrAppend(&help, "  --", name, "=", value.empty() ? "\"\"" : value, "\n");
    AppendWrapped(flag->Help(), &help);
  }
  return help;
}

}  // namespace starling
