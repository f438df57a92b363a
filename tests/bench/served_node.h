// A node in a process of its own, which the benchmark's process directs through its standard input and output
// (OtherEnd). It prints its address, then reads, until its input ends:
//   "=NUMBER ADDRESS\n"   its exchanges go to that node from now on;
//   "?"                   makes an exchange, if it has a partner, and prints a line of `tell`.

#ifndef STARLING_TESTS_BENCH_SERVED_NODE_H_
#define STARLING_TESTS_BENCH_SERVED_NODE_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "tests/bench/exchange_node.h"

namespace starling {

// `tell` gets what the exchange took, 0 if there was none. Returns the process's exit code; what failed is printed
// to the standard error.
int ServeNode(ExchangeNode& node, const std::function<std::string(absl::Duration)>& tell);

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_SERVED_NODE_H_
