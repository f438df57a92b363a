#include "tests/model/idx_bytes.h"

#include <stdlib.h>
#include <zlib.h>

#include <cstdio>
#include <fstream>

namespace starling {

std::string IdxBytes(const std::vector<uint32_t>& sizes, unsigned below) {
  std::string bytes = {0, 0, 8, static_cast<char>(sizes.size())};
  uint64_t count = 1;
  for (uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(size >> shift));
    count *= size;
  }
  for (uint64_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i % 256 % below));
  return bytes;
}

std::string Gzipped(const std::string& bytes) {
  z_stream stream = {};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string MakeTestDirectory() {
  const char* base = getenv("TEST_TMPDIR");
  std::string path = std::string(base != nullptr ? base : "/tmp") + "/idx-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) abort();
  return path;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) abort();
}

}  // namespace starling
