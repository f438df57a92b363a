#include "peer/checkpoint/checkpoint_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "peer/runtime/atomic_file.h"
#include "peer/runtime/check.h"
#include "peer/runtime/failpoint.h"
#include "xxhash.h"

namespace starling {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kParameters[] = ".safetensors";
constexpr char kManifest[] = ".json";
constexpr char kPrefix[] = "step-";
constexpr uint64_t kLongestManifest = 1 << 16;

struct CloseFile {
  explicit CloseFile(int descriptor) : fd(descriptor) {}
  ~CloseFile() {
    if (fd >= 0) ::close(fd);
  }
  const int fd;
};

class Hasher {
 public:
  Hasher() : state_(XXH3_createState()) { XXH3_128bits_reset(state_); }
  ~Hasher() { XXH3_freeState(state_); }
  void Add(absl::string_view bytes) { XXH3_128bits_update(state_, bytes.data(), bytes.size()); }
  std::string Hex() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(state_);
    return absl::StrFormat("%016x%016x", hash.high64, hash.low64);
  }

 private:
  XXH3_state_t* const state_;
};

absl::Status SystemError(absl::string_view doing, const std::string& path) {
  return absl::UnknownError(absl::StrCat("cannot ", doing, " ", path, ": ", std::strerror(errno)));
}

absl::Status ReadExactly(int fd, const std::string& path, uint64_t offset, char* to, uint64_t size) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path);
    if (got == 0) return absl::DataLossError(absl::StrCat(path, " is truncated"));
    to += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SizeOf(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return SystemError("read", path);
  return static_cast<uint64_t>(info.st_size);
}

absl::StatusOr<Json> ReadManifest(const std::string& path) {
  const CloseFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return SystemError("open", path);
  const auto size = SizeOf(file.fd, path);
  if (!size.ok()) return size.status();
  if (*size > kLongestManifest) {
    return absl::DataLossError(absl::StrCat(path, " has ", *size, " bytes; no manifest is so long"));
  }
  std::string text(*size, '\0');
  if (absl::Status read = ReadExactly(file.fd, path, 0, text.data(), *size); !read.ok()) return read;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::DataLossError(absl::StrCat(path, " is no JSON object"));
  return json;
}

std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

uint64_t Number(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

}  // namespace

CheckpointStore::CheckpointStore(Options options) : options_(std::move(options)) {
  STARLING_CHECK(options_.keep >= 1);
  for (const TensorLayout& tensor : options_.layout) {
    size_t elements = 1;
    for (const int64_t length : tensor.shape) elements *= static_cast<size_t>(length);
    elements_ += elements;
  }
}

std::string CheckpointStore::PathOf(uint64_t step, absl::string_view suffix) const {
  return absl::StrFormat("%s/%s%014d%s", options_.directory, kPrefix, step, suffix);
}

absl::Status CheckpointStore::Save(const Checkpoint& checkpoint) {
  STARLING_CHECK(checkpoint.values.size() == elements_ * sizeof(float));
  std::error_code error;
  std::filesystem::create_directories(options_.directory, error);
  if (error) {
    return absl::UnknownError(
        absl::StrCat("cannot make ", options_.directory, ": ", error.message()));
  }
  const std::string saved = absl::FormatTime(absl::RFC3339_sec, checkpoint.saved, absl::UTCTimeZone());
  const std::string header = MakeSafetensorsHeader(
      options_.layout, {{"format", "pt"},
                        {"run_id", options_.run.ToString()},
                        {"step", absl::StrCat(checkpoint.step)},
                        {"samples", absl::StrCat(checkpoint.samples)},
                        {"saved", saved}});
  const absl::string_view data(checkpoint.values.data(), checkpoint.values.size());
  Hasher hash;
  hash.Add(header);
  hash.Add(data);
  const Json manifest = {{"step", checkpoint.step},
                         {"samples", checkpoint.samples},
                         {"saved", saved},
                         {"saved_unix_ms", absl::ToUnixMillis(checkpoint.saved)},
                         {"run_id", options_.run.ToString()},
                         {"model_fingerprint", options_.model.ToString()},
                         {"bytes", header.size() + data.size()},
                         {"xxh3_128", hash.Hex()}};
  // A manifest that is there already would vouch for what is about to be replaced.
  ::unlink(PathOf(checkpoint.step, kManifest).c_str());
  Failpoint("checkpoint.begun");
  absl::Status status =
      WriteFileAtomically(PathOf(checkpoint.step, kParameters), {header, data});
  if (!status.ok()) return status;
  Failpoint("checkpoint.parameters_written");
  status = WriteFileAtomically(PathOf(checkpoint.step, kManifest), manifest.dump(2) + "\n");
  Failpoint("checkpoint.manifest_written");
  if (status.ok()) Prune(checkpoint.step);
  return status;
}

std::vector<uint64_t> CheckpointStore::Steps() const {
  std::vector<uint64_t> steps;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(options_.directory, error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    absl::string_view digits = name;
    uint64_t step = 0;
    if (absl::ConsumePrefix(&digits, kPrefix) && absl::ConsumeSuffix(&digits, kManifest) &&
        absl::SimpleAtoi(digits, &step)) {
      steps.push_back(step);
    }
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

void CheckpointStore::Prune(uint64_t newest) const {
  std::vector<uint64_t> steps = Steps();
  // Steps beyond the newest are of a life that was given up: whoever restarts would go back to them.
  std::stable_partition(steps.begin(), steps.end(), [&](uint64_t step) { return step <= newest; });
  for (size_t i = options_.keep; i < steps.size(); ++i) {
    ::unlink(PathOf(steps[i], kManifest).c_str());
    Failpoint("checkpoint.old_manifest_removed");
    ::unlink(PathOf(steps[i], kParameters).c_str());
  }
}

absl::StatusOr<Checkpoint> CheckpointStore::Load(uint64_t step, BufferPool* buffers) const {
  const auto manifest = ReadManifest(PathOf(step, kManifest));
  if (!manifest.ok()) return manifest.status();
  if (Text(*manifest, "run_id") != options_.run.ToString() ||
      Text(*manifest, "model_fingerprint") != options_.model.ToString()) {
    return absl::FailedPreconditionError(
        absl::StrCat(PathOf(step, kManifest), " is of run ", Text(*manifest, "run_id"), " and model ",
                     Text(*manifest, "model_fingerprint"), ", not ", options_.run.ToString(), " and ",
                     options_.model.ToString()));
  }
  const std::string path = PathOf(step, kParameters);
  const CloseFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return SystemError("open", path);
  const auto size = SizeOf(file.fd, path);
  if (!size.ok()) return size.status();
  if (*size != Number(*manifest, "bytes")) {
    return absl::DataLossError(absl::StrCat(path, " has ", *size, " bytes, its manifest says ",
                                            Number(*manifest, "bytes")));
  }
  std::string head(std::min<uint64_t>(*size, kSafetensorsPrefix), '\0');
  absl::Status status = ReadExactly(file.fd, path, 0, head.data(), head.size());
  if (!status.ok()) return status;
  const auto data_offset = SafetensorsDataOffset(head, *size);
  if (!data_offset.ok()) return data_offset.status();
  // Before anything is allocated by what the file says.
  if (*size - *data_offset != elements_ * sizeof(float)) {
    return absl::DataLossError(absl::StrCat(path, " holds ", *size - *data_offset,
                                            " bytes of data, the model has ",
                                            elements_ * sizeof(float)));
  }
  head.resize(*data_offset);
  status = ReadExactly(file.fd, path, 0, head.data(), head.size());
  if (!status.ok()) return status;
  const auto header = ParseSafetensorsHeader(head, *size);
  if (!header.ok()) return header.status();
  if (header->tensors != options_.layout) {
    return absl::DataLossError(absl::StrCat(path, " holds other tensors than the model's"));
  }
  MutableBuffer values = buffers->Take(elements_);
  char* const to = reinterpret_cast<char*>(values.floats().data());
  status = ReadExactly(file.fd, path, *data_offset, to, elements_ * sizeof(float));
  if (!status.ok()) return status;
  Hasher hash;
  hash.Add(head);
  hash.Add({to, elements_ * sizeof(float)});
  if (hash.Hex() != Text(*manifest, "xxh3_128")) {
    return absl::DataLossError(absl::StrCat(path, " is corrupt: its hash is ", hash.Hex(),
                                            ", its manifest says ", Text(*manifest, "xxh3_128")));
  }
  Checkpoint checkpoint;
  checkpoint.values = std::move(values).Freeze();
  checkpoint.step = Number(*manifest, "step");
  checkpoint.samples = Number(*manifest, "samples");
  checkpoint.saved = absl::FromUnixMillis(static_cast<int64_t>(Number(*manifest, "saved_unix_ms")));
  return checkpoint;
}

absl::StatusOr<CheckpointStore::Loaded> CheckpointStore::LoadNewest(BufferPool* buffers) const {
  Loaded loaded;
  for (const uint64_t step : Steps()) {
    auto checkpoint = Load(step, buffers);
    if (checkpoint.ok()) {
      loaded.checkpoint = *std::move(checkpoint);
      return loaded;
    }
    loaded.skipped.emplace_back(checkpoint.status().message());
  }
  return absl::NotFoundError(
      loaded.skipped.empty()
          ? absl::StrCat("no checkpoint in ", options_.directory)
          : absl::StrCat("no intact checkpoint in ", options_.directory, ": ",
                         absl::StrJoin(loaded.skipped, "; ")));
}

}  // namespace starling
