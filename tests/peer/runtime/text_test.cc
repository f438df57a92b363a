// Small things about text: one line, host:port, members in words, files written whole.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "peer/runtime/atomic_file.h"
#include "peer/runtime/host_port.h"
#include "peer/runtime/member_text.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

TEST(OneLineTest, TurnsControlCharactersIntoBlanks) {
  EXPECT_EQ(OneLine("a\nb\x1b[31mc\x7f"), "a b [31mc ");
}

TEST(OneLineTest, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(OneLine("abcdef", 6), "abcdef");
  EXPECT_EQ(OneLine("abcdefg", 6), "abcdef...");
  EXPECT_EQ(OneLine("ab\xc3\xa9z", 3), "ab...") << "not through the middle of an e with accent";
  EXPECT_EQ(OneLine("\x80\x80\x80", 1), "...") << "nothing but continuations";
}

TEST(HostPortTest, SplitsNamesAndBothKindsOfAddresses) {
  for (const auto& [text, host, port] :
       {std::tuple<const char*, const char*, const char*>{"host:80", "host", "80"},
        {"127.0.0.1:0", "127.0.0.1", "0"},
        {"[::1]:7001", "::1", "7001"}}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  }
}

TEST(HostPortTest, RefusesEverythingElse) {
  for (const char* text : {"", "host", ":80", "host:", "host:x", "host:65536", "host:-1", "::1:80",
                           "[]:80", "host:000080"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseHostPort(text).status())) << text;
  }
}

TEST(HostPortTest, DialableNeedsAPortAndPrintableCharacters) {
  EXPECT_TRUE(ValidateDialable("host:80").ok());
  EXPECT_FALSE(ValidateDialable("host:0").ok());
  EXPECT_FALSE(ValidateDialable("host:00").ok());
  EXPECT_FALSE(ValidateDialable("ho st:80").ok());
  EXPECT_FALSE(ValidateDialable("ho\nst:80").ok());
  EXPECT_FALSE(ValidateDialable(std::string(300, 'a') + ":80").ok());
}

TEST(MemberTextTest, NamesStatesAndMembers) {
  EXPECT_EQ(StateName(v1::PEER_STATE_SUSPECT), "SUSPECT");
  EXPECT_EQ(StateName(static_cast<v1::PeerState>(99)), "UNKNOWN");
  v1::Member member;
  member.set_peer_id(0xab);
  member.set_address("10.0.0.1:7001");
  member.set_slot(2);
  EXPECT_EQ(Describe(member), "peer 00000000000000ab at 10.0.0.1:7001 (slot 2)");
}

TEST(AtomicFileTest, ReplacesTheWholeContent) {
  const std::string path = testing::TempDir() + "/atomic";
  ASSERT_TRUE(WriteFileAtomically(path, "a longer first content").ok());
  ASSERT_TRUE(WriteFileAtomically(path, "short").ok());
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_EQ(content.str(), "short");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(AtomicFileTest, FailureNamesThePathAndLeavesNothing) {
  const absl::Status status = WriteFileAtomically("/no/such/directory/file", "x");
  EXPECT_TRUE(absl::IsUnknown(status));
  EXPECT_NE(status.message().find("/no/such/directory/file"), absl::string_view::npos);
  const std::string directory = testing::TempDir() + "/is_a_directory";
  std::filesystem::create_directories(directory + "/child");
  EXPECT_FALSE(WriteFileAtomically(directory, "x").ok());
  EXPECT_FALSE(std::filesystem::exists(directory + ".tmp"));
}

}  // namespace
}  // namespace starling
