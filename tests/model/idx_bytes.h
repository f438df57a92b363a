// Makes IDX files for tests.

#ifndef STARLING_TESTS_MODEL_IDX_BYTES_H_
#define STARLING_TESTS_MODEL_IDX_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace starling {

// Magic number, sizes, then as many bytes 0, 1, 2, ... 255, 0, ... as the sizes ask for, each taken
// modulo `below`.
std::string IdxBytes(const std::vector<uint32_t>& sizes, unsigned below = 256);

// `bytes` as a gzip stream.
std::string Gzipped(const std::string& bytes);

// A new empty directory of this test.
std::string MakeTestDirectory();

void WriteFile(const std::string& path, const std::string& bytes);

}  // namespace starling

#endif  // STARLING_TESTS_MODEL_IDX_BYTES_H_
