#include "model/idx_file.h"

#include <sys/stat.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/idx_bytes.h"

namespace starling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class IdxFileTest : public testing::Test {
 protected:
  absl::StatusOr<IdxFile> Read(const std::string& bytes, int dimensions,
                               const std::string& suffix = "") {
    path_ = absl::StrCat(directory_, "/file-idx", suffix);
    WriteFile(path_, bytes);
    return ReadIdxFile(path_, dimensions);
  }

  void ExpectDataLoss(const absl::Status& status, const std::string& message) {
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(status.message(), HasSubstr(absl::string_view(path_)));
    EXPECT_THAT(status.message(), HasSubstr(absl::string_view(message)));
  }

  const std::string directory_ = MakeTestDirectory();
  std::string path_;
};

TEST_F(IdxFileTest, ReadsPlainFile) {
  absl::StatusOr<IdxFile> file = Read(IdxBytes({2, 3, 4}), 3);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->sizes, ElementsAre(2, 3, 4));
  ASSERT_EQ(file->bytes.size(), 24u);
  EXPECT_EQ(file->bytes[23], 23);
  EXPECT_EQ(file->header_bytes(), 16u);
}

TEST_F(IdxFileTest, ReadsGzipFileOfSeveralBuffers) {
  absl::StatusOr<IdxFile> file = Read(Gzipped(IdxBytes({5000, 28, 28})), 3, ".gz");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->bytes.size(), 5000u * 784);
  for (size_t i = 0; i < file->bytes.size(); ++i) ASSERT_EQ(file->bytes[i], i % 256) << i;
}

TEST_F(IdxFileTest, AbsentFileIsNotFound) {
  EXPECT_EQ(ReadIdxFile(directory_ + "/nothing", 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(IdxFileTest, DirectoryOrPipeIsRefusedWithoutWaiting) {
  EXPECT_EQ(ReadIdxFile(directory_, 1).status().code(), absl::StatusCode::kDataLoss);
  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(ReadIdxFile(pipe, 1).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(IdxFileTest, WrongMagicSaysExpectedAndFound) {
  ExpectDataLoss(Read(IdxBytes({2, 2}), 3).status(),
                 "at offset 0: expected IDX magic number 00000803, found 00000802");
}

TEST_F(IdxFileTest, TruncationSaysWhereTheFileEnds) {
  const std::string bytes = IdxBytes({2, 3, 4});
  ExpectDataLoss(Read(bytes.substr(0, 30), 3).status(),
                 "at offset 30: expected 10 more bytes, found the end of the file");
}

TEST_F(IdxFileTest, TrailingBytesAreRefused) {
  ExpectDataLoss(Read(IdxBytes({2, 3, 4}) + "x", 3).status(),
                 "at offset 40: expected the end of the file, found more bytes");
  ExpectDataLoss(Read(Gzipped(IdxBytes({2, 3, 4}) + "x"), 3, ".gz").status(),
                 "at offset 40: expected the end of the file");
  ExpectDataLoss(Read(Gzipped(IdxBytes({2, 3, 4})) + "x", 3, ".gz").status(),
                 "expected the end of the file after the gzip stream");
}

TEST_F(IdxFileTest, AbsurdSizesAreRefusedWithoutAllocatingThem) {
  std::string bytes = IdxBytes({2, 3, 4});
  for (size_t i = 4; i < 16; ++i) bytes[i] = '\xff';
  ExpectDataLoss(Read(bytes, 3).status(), "sizes whose product is at most 1073741824");
  // Within the limit, but far beyond what the file holds: memory follows the file.
  const std::string header = IdxBytes({2, 3, 4}).substr(0, 4) + std::string("\0\0\x40\0", 4) +
                             std::string("\0\0\x40\0", 4) + std::string("\0\0\0\x01", 4);
  ExpectDataLoss(Read(header + "some", 3).status(), "found the end of the file");
}

TEST_F(IdxFileTest, SizeZeroIsAnEmptyFileNotACrash) {
  absl::StatusOr<IdxFile> file = Read(IdxBytes({0, 28, 28}), 3);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->bytes.empty());
}

TEST_F(IdxFileTest, PlainContentsUnderAGzipNameAreRefused) {
  ExpectDataLoss(Read(IdxBytes({2, 3, 4}), 3, ".gz").status(), "expected a sound gzip stream");
}

TEST_F(IdxFileTest, EveryTruncationIsRefused) {
  const std::string plain = IdxBytes({3, 4, 4});
  for (size_t length = 0; length < plain.size(); ++length) {
    ExpectDataLoss(Read(plain.substr(0, length), 3).status(), "found the end of the file");
  }
  const std::string gzip = Gzipped(plain);
  for (size_t length = 0; length < gzip.size(); ++length) {
    ExpectDataLoss(Read(gzip.substr(0, length), 3, ".gz").status(), "found the end of the file");
  }
}

TEST_F(IdxFileTest, EveryChangedHeaderBitIsRefused) {
  const std::string plain = IdxBytes({3, 4, 4});
  for (size_t bit = 0; bit < 16 * 8; ++bit) {
    std::string bytes = plain;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(Read(bytes, 3).status().code(), absl::StatusCode::kDataLoss) << "bit " << bit;
  }
}

TEST_F(IdxFileTest, EveryByteOfAGzipStreamMayBeAnything) {
  const std::string gzip = Gzipped(IdxBytes({3, 4, 4}));
  for (size_t at = 0; at < gzip.size(); ++at) {
    for (int change : {0x01, 0x80, 0xff}) {
      std::string bytes = gzip;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      absl::StatusOr<IdxFile> file = Read(bytes, 3, ".gz");
      // Some bytes of the gzip header mean nothing; then the contents are still the same.
      if (file.ok()) {
        EXPECT_EQ(file->bytes.size(), 48u);
        EXPECT_EQ(file->bytes[47], 47);
      } else {
        EXPECT_EQ(file.status().code(), absl::StatusCode::kDataLoss) << file.status();
      }
    }
  }
}

}  // namespace
}  // namespace starling
