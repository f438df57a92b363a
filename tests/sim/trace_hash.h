// A running hash over what happened and when: two runs with one hash went the same way, event by
// event. SplitMix64's finaliser over (state, value); not meant to withstand anybody's malice.

#ifndef STARLING_TESTS_SIM_TRACE_HASH_H_
#define STARLING_TESTS_SIM_TRACE_HASH_H_

#include <cstdint>
#include <initializer_list>

namespace starling {

class TraceHash {
 public:
  void Add(std::initializer_list<uint64_t> values) {
    for (const uint64_t value : values) {
      uint64_t mixed = (state_ ^ value) + 0x9e3779b97f4a7c15u;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
      state_ = mixed ^ (mixed >> 31);
    }
  }

  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_TRACE_HASH_H_
