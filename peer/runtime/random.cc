#include "peer/runtime/random.h"

#include <bit>
#include <cmath>

#include "peer/runtime/check.h"

namespace starling {
namespace {

uint64_t SplitMix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed) : seed_(seed) {
  uint64_t mixer = seed;
  for (uint64_t& word : state_) word = SplitMix64(mixer);
}

Random Random::Split(absl::string_view label) const {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (char c : label) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return Split(hash);
}

Random Random::Split(uint64_t label) const {
  uint64_t mixer = seed_ ^ std::rotl(label, 32);
  const uint64_t first = SplitMix64(mixer);
  mixer ^= label;
  return Random(first ^ SplitMix64(mixer));
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

uint64_t Random::UniformInt(uint64_t bound) {
  STARLING_CHECK(bound > 0);
  // Reject the tail that would make the low residues likelier.
  const uint64_t tail = (0 - bound) % bound;
  uint64_t value = Next();
  while (value < tail) value = Next();
  return value % bound;
}

double Random::Normal() {
  double u, v, s;
  do {
    u = 2 * Uniform() - 1;
    v = 2 * Uniform() - 1;
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  return u * std::sqrt(-2 * std::log(s) / s);
}

double Random::Exponential(double mean) { return -mean * std::log1p(-Uniform()); }

double Random::Gamma(double shape) {
  STARLING_CHECK(shape > 0);
  if (shape < 1) {
    // Gamma(a) = Gamma(a + 1) * U^(1/a).
    return Gamma(shape + 1) * std::pow(1 - Uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = Normal();
    const double cube = 1 + c * x;
    if (cube <= 0) continue;
    const double v = cube * cube * cube;
    const double u = 1 - Uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace starling
