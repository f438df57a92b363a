#include "peer/transport/this_host.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(ThisHostTest, TheLoopbackIsThisHost) {
  for (const char* peer : {"ipv4:127.0.0.1:7700", "ipv4:127.3.2.1:1", "ipv6:%5B::1%5D:7700",
                           "ipv6:[::1]:7700", "ipv6:[::ffff:127.0.0.1]:7700"}) {
    EXPECT_TRUE(IsThisHost(peer)) << peer;
  }
}

TEST(ThisHostTest, OthersAndWhatIsNotUnderstoodAreNot) {
  for (const char* peer : {"ipv4:192.0.2.1:7700", "ipv6:[2001:db8::1]:7700", "ipv4:127.0.0.1",
                           "ipv4:", "unix:/tmp/x", "127.0.0.1:7700", "", "ipv6:::::", "ipv4:x:1"}) {
    EXPECT_FALSE(IsThisHost(peer)) << peer;
  }
}

TEST(ThisHostTest, AddressesToDialNeedNoPrefix) {
  EXPECT_TRUE(IsThisHostAddress("127.0.0.1:7700"));
  EXPECT_TRUE(IsThisHostAddress("[::1]:7700"));
  EXPECT_TRUE(IsThisHostAddress("localhost:7700"));
  EXPECT_FALSE(IsThisHostAddress("192.0.2.1:7700"));
  EXPECT_FALSE(IsThisHostAddress("example.org:7700"));
}

}  // namespace
}  // namespace starling
