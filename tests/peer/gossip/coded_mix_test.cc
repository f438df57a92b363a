#include "peer/gossip/coded_mix.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/gossip/push_sum_mix.h"
#include "peer/gossip/staleness_mix.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

constexpr size_t kCount = 5000;  // two tiles and a part

Values Gaussian(uint64_t seed) {
  Random random(seed);
  Values values(kCount);
  for (float& value : values) value = static_cast<float>(random.Normal());
  return values;
}

CodedBytes Held(std::string bytes, v1::Codec codec) {
  auto owner = std::make_shared<std::string>(std::move(bytes));
  const char* const data = owner->data();
  const size_t size = owner->size();
  return {SharedBytes(std::move(owner), data, size), codec};
}

CodedBytes Encoded(absl::string_view spec, const Values& values) {
  const auto codec = *MakeCodec(spec);
  std::string bytes(codec->MaxBytes(values.size()), '\0');
  bytes.resize(EncodePayload(*codec, values, 1, nullptr, bytes.data()));
  return Held(std::move(bytes), codec->wire());
}

Values Decoded(const CodedBytes& coded) {
  Values values(kCount);
  EXPECT_TRUE(DecodePayload(*FindDecoder(coded.codec), {coded.bytes.data(), coded.bytes.size()},
                            absl::MakeSpan(values))
                  .ok());
  return values;
}

struct Response {
  Values own;
  CodedBytes reply;
  MixNorms norms;
  MixTerms terms;
};

Response Respond(const MixRule& rule, Values own, const CodedBytes& request,
                 absl::string_view reply, MixTerms terms = {}) {
  const auto codec = *MakeCodec(reply);
  std::string out(codec->MaxBytes(own.size()), '\0');
  size_t size = 0;
  Response response;
  response.norms = *RespondCoded(rule, absl::MakeSpan(own), request, terms, {codec.get(), 3},
                                out.data(), &size);
  out.resize(size);
  response.own = std::move(own);
  response.reply = Held(std::move(out), codec->wire());
  response.terms = terms;
  return response;
}

double SquaredDistance(const Values& a, const Values& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return sum;
}

TEST(CodedMixTest, PlainPayloadsGiveTheBitsOfTheRuleItself) {
  const auto rule = MakeElasticMix(0.3);
  const Values snapshot = Gaussian(1);
  Values expected = Gaussian(2);
  Values reply(kCount);
  MixTerms terms;
  const MixNorms norms =
      rule->Respond(absl::MakeSpan(expected), snapshot, absl::MakeSpan(reply), terms);
  const Response response = Respond(*rule, Gaussian(2), Encoded("fp32", snapshot), "fp32");
  EXPECT_EQ(response.own, expected);
  EXPECT_EQ(Decoded(response.reply), reply);
  EXPECT_NEAR(response.norms.squared_distance / norms.squared_distance, 1, 1e-6);
  EXPECT_NEAR(response.norms.squared_delta / norms.squared_delta, 1, 1e-6);
}

TEST(CodedMixTest, BothSidesApplyTheVeryNumbersThatTheReplyDecodesTo) {
  const auto rule = MakeElasticMix(0.5);
  for (const CodecRow& row : CodecRegistry()) {
    const Values initiator = Gaussian(1);
    const Values responder = Gaussian(2);
    const Response response = Respond(*rule, responder, Encoded("bf16", initiator), row.name);
    const Values delta = Decoded(response.reply);
    Values after = initiator;
    CommitCoded(*rule, absl::MakeSpan(after), {}, response.reply, {});
    double squared_delta = 0;
    for (size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(response.own[i], responder[i] - delta[i]) << row.name;
      ASSERT_EQ(after[i], initiator[i] + delta[i]) << row.name;
      squared_delta += double{delta[i]} * delta[i];
    }
    EXPECT_NEAR(response.norms.squared_delta / squared_delta, 1, 1e-5) << row.name;
  }
}

TEST(CodedMixTest, TheDistanceIsThatBeforeTheExchange) {
  const Values initiator = Gaussian(1);
  const Values responder = Gaussian(2);
  const double squared = SquaredDistance(initiator, responder);
  for (const auto& rule : {MakeElasticMix(0.25), MakeStalenessMix(0.25)}) {
    const Response response =
        Respond(*rule, responder, Encoded("fp32", initiator), "int8");
    EXPECT_NEAR(response.norms.squared_distance / squared, 1, 1e-5);
    Values after = initiator;
    EXPECT_NEAR(*CommitCoded(*rule, absl::MakeSpan(after), {}, response.reply, {}) / squared, 1,
                1e-2);
  }
}

TEST(CodedMixTest, RepeatedExchangesAgreeThroughEveryCodec) {
  const auto rule = MakeElasticMix(0.5);
  for (const CodecRow& row : CodecRegistry()) {
    const auto codec = *MakeCodec(row.name);
    Values a = Gaussian(1);
    Values b = Gaussian(2);
    const double at_first = SquaredDistance(a, b);
    const auto state = codec->contract().state == CodecContract::State::kBudget
                           ? codec->NewState(kCount)
                           : nullptr;
    std::string out(codec->MaxBytes(kCount), '\0');
    for (uint64_t exchange = 0; exchange < 1000; ++exchange) {
      MixTerms terms;
      size_t size = 0;
      RespondCoded(*rule, absl::MakeSpan(b), Encoded("fp32", a), terms,
                   {codec.get(), exchange, state.get()}, out.data(), &size);
      CommitCoded(*rule, absl::MakeSpan(a), {}, Held(out.substr(0, size), codec->wire()), {});
    }
    EXPECT_LT(SquaredDistance(a, b), 1e-6 * at_first) << row.name;
  }
}

TEST(CodedMixTest, OwnNumbersThatAreNotFiniteAreNoticedByBothHalves) {
  const auto rule = MakeElasticMix(0.3);
  const auto codec = *MakeCodec("bf16");
  const CodedBytes request = Encoded("fp32", Gaussian(1));
  const CodedBytes reply = Respond(*rule, Gaussian(2), request, "bf16").reply;
  for (const size_t place : {size_t{0}, size_t{kCount} - 1}) {
    Values own = Gaussian(2);
    own[place] = std::numeric_limits<float>::quiet_NaN();
    std::string out(codec->MaxBytes(own.size()), '\0');
    size_t size = 0;
    MixTerms terms;
    EXPECT_FALSE(RespondCoded(*rule, absl::MakeSpan(own), request, terms, {codec.get(), 3},
                              out.data(), &size));
    EXPECT_FALSE(CommitCoded(*rule, absl::MakeSpan(own), {}, reply, {}));
  }
}

TEST(CodedMixTest, TheStaleSideMovesMoreWhateverTheCodec) {
  const auto rule = MakeStalenessMix(0.4);
  const MixTerms terms{.staleness = 0.5};
  const Response response =
      Respond(*rule, Gaussian(2), Encoded("fp32", Gaussian(1)), "int8", terms);
  const Values delta = Decoded(response.reply);
  const float share = static_cast<float>(rule->responder_share(0.5));
  const Values before = Gaussian(2);
  for (size_t i = 0; i < kCount; ++i) ASSERT_EQ(response.own[i], before[i] - share * delta[i]);
}

TEST(CodedMixTest, PulledValuesMayTravelAtHalfWidth) {
  const auto rule = MakePullMix(0.5);
  const Values asked = Gaussian(2);
  const Response response = Respond(*rule, asked, {}, "bf16");
  EXPECT_EQ(response.own, asked);
  EXPECT_EQ(response.reply.bytes.size(), 2 * kCount);
  const Values snapshot = Gaussian(1);
  Values own = snapshot;
  CommitCoded(*rule, absl::MakeSpan(own), Encoded("fp32", snapshot), response.reply, {});
  const Values got = Decoded(response.reply);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(own[i], snapshot[i] + 0.5f * (got[i] - snapshot[i]));
  }
}

// A weight that every tile took for its own would count the incoming weight once a tile.
TEST(CodedMixTest, MassIsAddedOnceHoweverManyTilesThereAre) {
  const auto rule = MakePushSumMix();
  MixTerms terms;
  terms.incoming_mass = 0.5;
  terms.own_mass = 1;
  Values expected = Gaussian(2);
  MixTerms whole = terms;
  rule->Respond(absl::MakeSpan(expected), Gaussian(1), {}, whole);
  const Response response =
      Respond(*rule, Gaussian(2), Encoded("fp32", Gaussian(1)), "int8", terms);
  EXPECT_EQ(response.terms.own_mass, 1.5);
  EXPECT_EQ(response.own, expected);
  EXPECT_TRUE(response.reply.bytes.empty());
}

}  // namespace
}  // namespace starling
