// The log of a daemon on its standard error stream, which never holds the daemon up: a line for
// which there is no room, because nobody reads the pipe or the terminal is stopped, is dropped. The
// next line that gets through is preceded by one that says how many were.
//
// A regular file on a slow disk always claims to have room; only a pipe to a log daemon is safe
// there.

#ifndef STARLING_PEER_RUNTIME_STDERR_LOG_H_
#define STARLING_PEER_RUNTIME_STDERR_LOG_H_

#include <memory>
#include <string>

#include "spdlog/spdlog.h"

namespace starling {

// A logger for spdlog::set_default_logger. Any thread may use it. libprotobuf, which would write a line to the same
// stream, and wait for room, for whatever text of others is not UTF-8, is silent from then on.
std::shared_ptr<spdlog::logger> MakeStderrLogger(const std::string& name);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_STDERR_LOG_H_
