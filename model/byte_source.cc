#include "model/byte_source.h"

#include <sys/stat.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace starling {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class PlainSource final : public ByteSource {
 public:
  PlainSource(std::string path, File file) : path_(std::move(path)), file_(std::move(file)) {}

  absl::StatusOr<size_t> Read(absl::Span<uint8_t> out) override {
    const size_t read = std::fread(out.data(), 1, out.size(), file_.get());
    if (read < out.size() && std::ferror(file_.get())) {
      return absl::DataLossError(absl::StrCat(path_, ": reading failed: ", std::strerror(errno)));
    }
    return read;
  }

 private:
  const std::string path_;
  const File file_;
};

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::string path, File file)
      : path_(path), compressed_(std::move(path), std::move(file)), buffer_(64 * 1024) {}

  ~GzipSource() override {
    if (started_) inflateEnd(&stream_);
  }

  absl::StatusOr<size_t> Read(absl::Span<uint8_t> out) override {
    if (!started_) {
      constexpr int kGzipOnly = 15 + 16;  // largest window, gzip header required
      if (inflateInit2(&stream_, kGzipOnly) != Z_OK) {
        return absl::DataLossError(absl::StrCat(path_, ": zlib could not start"));
      }
      started_ = true;
    }
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0) {
        absl::StatusOr<size_t> read = compressed_.Read(absl::MakeSpan(buffer_));
        if (!read.ok()) return read.status();
        if (*read == 0) {
          return Damaged("expected more of the gzip stream, found the end of the file");
        }
        consumed_ += *read;
        stream_.next_in = buffer_.data();
        stream_.avail_in = static_cast<uInt>(*read);
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        ended_ = true;
        if (absl::Status status = RequireEndOfFile(); !status.ok()) return status;
      } else if (result != Z_OK) {
        return Damaged(absl::StrCat("expected a sound gzip stream, found ",
                                    stream_.msg != nullptr ? stream_.msg : "damage"));
      }
    }
    return out.size() - stream_.avail_out;
  }

 private:
  absl::Status RequireEndOfFile() {
    if (stream_.avail_in == 0) {
      absl::StatusOr<size_t> read = compressed_.Read(absl::MakeSpan(buffer_));
      if (!read.ok()) return read.status();
      if (*read == 0) return absl::OkStatus();
      consumed_ += *read;
      stream_.avail_in = static_cast<uInt>(*read);
    }
    return Damaged("expected the end of the file after the gzip stream, found more bytes");
  }

  absl::Status Damaged(absl::string_view what) const {
    return absl::DataLossError(
        absl::StrCat(path_, ": at byte ", consumed_ - stream_.avail_in, " of the file: ", what));
  }

  const std::string path_;
  PlainSource compressed_;
  std::vector<uint8_t> buffer_;
  z_stream stream_ = {};
  bool started_ = false;
  bool ended_ = false;
  uint64_t consumed_ = 0;  // bytes taken from the file
};

absl::Status OpenFailed(const std::string& path, int error) {
  const std::string message = absl::StrCat(path, ": ", std::strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
  return absl::DataLossError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path) {
  // Looked at before it is opened: opening a pipe would wait for its writer.
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return OpenFailed(path, errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::DataLossError(
        absl::StrCat(path, ": expected a regular file, found something else"));
  }
  File file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return OpenFailed(path, errno);
  if (absl::EndsWith(path, ".gz")) return std::make_unique<GzipSource>(path, std::move(file));
  return std::make_unique<PlainSource>(path, std::move(file));
}

}  // namespace starling
