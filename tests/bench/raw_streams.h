// What an exchange is measured against: a plain TCP stream and a raw gRPC stream, one way, into
// memory of the receiver's own. Each has a sink, to be run in another process, and a source.

#ifndef STARLING_TESTS_BENCH_RAW_STREAMS_H_
#define STARLING_TESTS_BENCH_RAW_STREAMS_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace starling {

class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // host:port.
  virtual std::string address() const = 0;
};

// Takes streams of `bytes` each, copies them into one buffer, and answers each with a byte.
std::unique_ptr<StreamSink> StartTcpSink(size_t bytes);
std::unique_ptr<StreamSink> StartGrpcSink(size_t bytes);

class StreamSource {
 public:
  virtual ~StreamSource() = default;
  // Sends one stream and waits for its answer.
  virtual absl::StatusOr<absl::Duration> Send() = 0;
};

std::unique_ptr<StreamSource> ConnectTcp(const std::string& address, size_t bytes);
// In messages of 1 MiB that refer to the source's memory, tuned as the data path is.
std::unique_ptr<StreamSource> ConnectGrpc(const std::string& address, size_t bytes);

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_RAW_STREAMS_H_
