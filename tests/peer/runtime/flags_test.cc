#include "peer/runtime/flags.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, test_model, "mlp", "Which model.");
ABSL_FLAG(int, test_steps, 10, "How many steps.");
ABSL_FLAG(bool, test_verbose, false,
          "Says more about what goes on, in words that are chosen so that this help needs more "
          "than one line of eighty-eight columns.");
ABSL_FLAG(std::vector<std::string>, test_join, {}, "Addresses.");
ABSL_FLAG(std::optional<bool>, test_warm, std::nullopt, "Warms up.");

namespace starling {
namespace {

const FlagScope kScope = {{"tests/peer/runtime/flags_test"}};

class FlagsTest : public testing::Test {
 protected:
  absl::StatusOr<std::vector<std::string>> Parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "program");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return ParseFlags(static_cast<int>(argv.size()), argv.data(), kScope);
  }

  std::string Error(std::vector<std::string> arguments) {
    const auto parsed = Parse(std::move(arguments));
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(parsed.status().message());
  }

  absl::FlagSaver saver_;
};

TEST_F(FlagsTest, ValuesComeWithAnEqualsSignOrAsTheNextArgument) {
  ASSERT_TRUE(Parse({"--test_model=cnn", "--test_steps", "-5", "--test_join=a:1,b:2"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_model), "cnn");
  EXPECT_EQ(absl::GetFlag(FLAGS_test_steps), -5);
  EXPECT_EQ(absl::GetFlag(FLAGS_test_join), (std::vector<std::string>{"a:1", "b:2"}));
  ASSERT_TRUE(Parse({"--test_model="}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_model), "");
}

TEST_F(FlagsTest, BooleansNeedNoValue) {
  ASSERT_TRUE(Parse({"--test_verbose"}).ok());
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_verbose));
  ASSERT_TRUE(Parse({"--notest_verbose"}).ok());
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_verbose));
  ASSERT_TRUE(Parse({"--test_verbose=true"}).ok());
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_verbose));
}

TEST_F(FlagsTest, ABooleanThatMayBeLeftOutIsSwitchedLikeAnyOther) {
  EXPECT_EQ(absl::GetFlag(FLAGS_test_warm), std::nullopt);
  ASSERT_TRUE(Parse({"--test_warm"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_warm), true);
  ASSERT_TRUE(Parse({"--notest_warm"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_warm), false);
}

TEST_F(FlagsTest, TheRestIsPositional) {
  const auto parsed = Parse({"join", "--test_verbose", "here", "-", "--", "--test_steps=1"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, (std::vector<std::string>{"join", "here", "-", "--test_steps=1"}));
  EXPECT_EQ(absl::GetFlag(FLAGS_test_steps), 10);
}

TEST_F(FlagsTest, AnUnknownFlagNamesTheNearest) {
  EXPECT_EQ(Error({"--test_modle=cnn"}),
            "unknown flag --test_modle; did you mean --test_model? --help lists them all");
  EXPECT_EQ(Error({"--zzzzzzzzzz"}), "unknown flag --zzzzzzzzzz; --help lists them all");
  EXPECT_EQ(Error({"--notest_steps"}).substr(0, 27), "unknown flag --notest_steps");
  EXPECT_EQ(Error({"-x"}).substr(0, 16), "unknown flag -x;");
  EXPECT_EQ(Error({"-test_steps=3"}),
            "unknown flag -test_steps=3; flags take two dashes: --test_steps=3");
  EXPECT_EQ(Error({"--=3"}).substr(0, 15), "unknown flag --");
}

TEST_F(FlagsTest, FlagsOfOtherFilesAreUnknown) {
  const FlagScope other = {{"no/such/file"}};
  std::string program = "program", flag = "--test_steps=1";
  char* argv[] = {program.data(), flag.data()};
  EXPECT_FALSE(ParseFlags(2, argv, other).ok());
  EXPECT_EQ(FlagsHelp(other), "");
}

TEST_F(FlagsTest, HiddenFlagsAreParsedAndNotInTheHelp) {
  const FlagScope hidden = {{"elsewhere"}, {"tests/peer/runtime/flags_test"}};
  char program[] = "program";
  char flag[] = "--test_steps=11";
  char* argv[] = {program, flag};
  EXPECT_TRUE(ParseFlags(2, argv, hidden).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_steps), 11);
  EXPECT_EQ(FlagsHelp(hidden), "");
}

TEST_F(FlagsTest, BadAndMissingValuesAreExplained) {
  EXPECT_EQ(Error({"--test_steps=many"}),
            "--test_steps: \"many\" is not a valid value; an example of one is 10");
  EXPECT_EQ(absl::GetFlag(FLAGS_test_steps), 10);
  EXPECT_EQ(Error({"--test_steps"}), "--test_steps needs a value: --test_steps=...");
  EXPECT_EQ(Error({"--test_steps", "--test_verbose"}),
            "--test_steps needs a value: --test_steps=...");
}

TEST_F(FlagsTest, HelpIsNotAnError) {
  EXPECT_EQ(Parse({"--test_steps=3", "--help"}).status(), absl::CancelledError());
  EXPECT_EQ(Parse({"-h"}).status(), absl::CancelledError());
}

TEST_F(FlagsTest, HelpShowsDefaultsInOrderAndWraps) {
  const std::string help = FlagsHelp(kScope);
  EXPECT_EQ(help.substr(0, help.find("  --test_model")), "  --test_join=\"\"\n      Addresses.\n");
  EXPECT_NE(help.find("  --test_model=mlp\n      Which model.\n  --test_steps=10\n"),
            std::string::npos);
  for (absl::string_view line : absl::StrSplit(help, '\n')) EXPECT_LE(line.size(), 88) << line;
  EXPECT_NE(help.find("help needs\n      more than"), std::string::npos) << help;
}

}  // namespace
}  // namespace starling
