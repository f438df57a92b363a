// How fast codecs are, against memcpy in the same run; one thread.
//
//   bazel run //tests/bench:codecs -- --benchmark_repetitions=5 --benchmark_report_aggregates_only
//
// Bytes are counted on the fp32 side, for memcpy too. The vector is as long as a model of 64 MiB, so
// that everything comes from memory, and then as long as a shard of 1 MiB, which stays in the cache.

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/gossip/coded_mix.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/runtime/isa.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

Values Gaussian(size_t count, uint64_t seed) {
  Random random(seed);
  Values values(count);
  for (float& value : values) value = static_cast<float>(0.01 * random.Normal());
  return values;
}

CodedBytes Encoded(const Codec& codec, const Values& values) {
  auto bytes = std::make_shared<std::string>(codec.MaxBytes(values.size()), '\0');
  bytes->resize(EncodePayload(codec, values, 1, nullptr, bytes->data()));
  const char* const data = bytes->data();
  const size_t size = bytes->size();
  return {SharedBytes(std::move(bytes), data, size), codec.wire()};
}

void CountBytes(benchmark::State& state, size_t elements) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * elements * sizeof(float)));
}

void Memcpy(benchmark::State& state, size_t elements) {
  const Values from = Gaussian(elements, 1);
  Values to(elements);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), elements * sizeof(float));
    benchmark::ClobberMemory();
  }
  CountBytes(state, elements);
}

void Encode(benchmark::State& state, const Codec& codec, size_t elements) {
  const Values values = Gaussian(elements, 1);
  std::string out(codec.MaxBytes(elements), '\0');
  size_t size = 0;
  for (auto _ : state) {
    size = EncodePayload(codec, values, 1, nullptr, out.data());
    benchmark::ClobberMemory();
  }
  CountBytes(state, elements);
  state.counters["ratio"] = static_cast<double>(elements * sizeof(float)) / static_cast<double>(size);
}

// The initiator's half: decode the reply and add it.
void DecodeAndMix(benchmark::State& state, const Codec& codec, size_t elements) {
  const CodedBytes reply = Encoded(codec, Gaussian(elements, 1));
  const auto rule = MakeElasticMix(0.5);
  Values own = Gaussian(elements, 2);
  for (auto _ : state) {
    benchmark::DoNotOptimize(CommitCoded(*rule, absl::MakeSpan(own), {}, reply, {}));
  }
  CountBytes(state, elements);
}

// The responder's half: an fp32 request in, difference, encode, apply.
void Respond(benchmark::State& state, const Codec& codec, size_t elements) {
  const CodedBytes request = Encoded(*PlainCodec(), Gaussian(elements, 1));
  const auto rule = MakeElasticMix(0.5);
  Values own = Gaussian(elements, 2);
  std::string out(codec.MaxBytes(elements), '\0');
  size_t size = 0;
  for (auto _ : state) {
    MixTerms terms;
    RespondCoded(*rule, absl::MakeSpan(own), request, terms, {&codec, 1}, out.data(), &size);
    benchmark::ClobberMemory();
  }
  CountBytes(state, elements);
}

void Inspect(benchmark::State& state, const Codec& codec, size_t elements) {
  const CodedBytes payload = Encoded(codec, Gaussian(elements, 1));
  const absl::string_view bytes(payload.bytes.data(), payload.bytes.size());
  for (auto _ : state) benchmark::DoNotOptimize(InspectPayload(codec, bytes, elements).ok());
  CountBytes(state, elements);
}

void Register() {
  for (const auto& [where, elements] : {std::pair<std::string, size_t>{"64MiB", size_t{16} << 20},
                                        std::pair<std::string, size_t>{"1MiB", size_t{1} << 18}}) {
    const size_t count = elements;
    benchmark::RegisterBenchmark(absl::StrCat("memcpy/", where).c_str(),
                                 [=](benchmark::State& state) { Memcpy(state, count); });
    std::vector<std::string> specs;
    for (const CodecRow& row : CodecRegistry()) specs.emplace_back(row.name);
    specs.push_back("int8:stochastic=1");
    for (const std::string& spec : specs) {
      for (const Isa isa : SupportedIsas()) {
        if (isa != BestIsa() && spec != "int8" && spec != "bf16") continue;
        const std::shared_ptr<const Codec> codec = *MakeCodec(spec, isa);
        const std::string name = absl::StrCat(spec, "/", IsaName(isa), "/", where);
        benchmark::RegisterBenchmark(
            absl::StrCat("encode/", name).c_str(),
            [=](benchmark::State& state) { Encode(state, *codec, count); });
        if (isa != BestIsa()) continue;
        benchmark::RegisterBenchmark(
            absl::StrCat("decode+mix/", name).c_str(),
            [=](benchmark::State& state) { DecodeAndMix(state, *codec, count); });
        benchmark::RegisterBenchmark(
            absl::StrCat("respond/", name).c_str(),
            [=](benchmark::State& state) { Respond(state, *codec, count); });
        benchmark::RegisterBenchmark(
            absl::StrCat("inspect/", name).c_str(),
            [=](benchmark::State& state) { Inspect(state, *codec, count); });
      }
    }
  }
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) {
  starling::Register();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
