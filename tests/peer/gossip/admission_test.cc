#include "peer/gossip/admission.h"

#include <functional>
#include <limits>

#include "gtest/gtest.h"

namespace starling {
namespace {

const FrameIdentity kSelf{PeerId(1),           5, RunId(70), 3, ModelFingerprint(90),
                          ShardMap{10, 4}};

// Shard 2 from peer 2, which trains the same.
v1::ShardHeader Header(v1::FrameKind kind = v1::FRAME_KIND_MIX_REQUEST) {
  FrameIdentity other = kSelf;
  other.peer = PeerId(2);
  v1::ShardHeader header;
  StampHeader(other, 2, header);
  header.set_kind(kind);
  return header;
}

v1::RefusalReason ReasonFor(const v1::ShardHeader& header) {
  const absl::optional<FrameFault> fault = Admit(kSelf, header);
  if (!fault) return v1::REFUSAL_REASON_UNSPECIFIED;
  EXPECT_FALSE(fault->detail.empty());
  EXPECT_EQ(fault->detail.find('\n'), std::string::npos);
  return fault->reason;
}

v1::RefusalReason ReasonAfter(const std::function<void(v1::ShardHeader&)>& change) {
  v1::ShardHeader header = Header();
  change(header);
  return ReasonFor(header);
}

TEST(AdmissionTest, TheStampSaysWhoAndWhat) {
  v1::ShardHeader header;
  StampHeader(kSelf, 2, header);
  EXPECT_EQ(header.sender(), 1);
  EXPECT_EQ(header.sender_incarnation(), 5);
  EXPECT_EQ(header.run_id(), 70);
  EXPECT_EQ(header.epoch(), 3);
  EXPECT_EQ(header.model_fingerprint(), 90);
  EXPECT_EQ(header.shard(), 2);
  EXPECT_EQ(header.shard_count(), 3);
  EXPECT_EQ(header.offset(), 8);
  EXPECT_EQ(header.elements(), 2);
}

TEST(AdmissionTest, EveryShardOfAPeerThatTrainsTheSameIsAdmitted) {
  FrameIdentity other = kSelf;
  other.peer = PeerId(2);
  other.incarnation = 77;
  for (uint32_t shard = 0; shard < 3; ++shard) {
    v1::ShardHeader header;
    StampHeader(other, shard, header);
    header.set_kind(v1::FRAME_KIND_MIX_REQUEST);
    EXPECT_FALSE(Admit(kSelf, header).has_value()) << shard;
  }
}

TEST(AdmissionTest, AnotherRunIsRefused) {
  EXPECT_EQ(ReasonAfter([](auto& header) { header.set_run_id(71); }),
            v1::REFUSAL_REASON_WRONG_RUN);
}

TEST(AdmissionTest, AnotherEpochIsRefused) {
  for (const uint64_t epoch : {0u, 2u, 4u}) {
    EXPECT_EQ(ReasonAfter([&](auto& header) { header.set_epoch(epoch); }),
              v1::REFUSAL_REASON_WRONG_EPOCH);
  }
}

TEST(AdmissionTest, TheEpochOfAveragingFramesIsTheCoordinatorsAndNotJudgedHere) {
  for (const v1::FrameKind kind : {v1::FRAME_KIND_REDUCE, v1::FRAME_KIND_AVERAGE}) {
    v1::ShardHeader header = Header(kind);
    header.set_epoch(17);
    EXPECT_EQ(ReasonFor(header), v1::REFUSAL_REASON_UNSPECIFIED);
    v1::ShardHeader refusal = Header(v1::FRAME_KIND_REFUSAL);
    refusal.set_refused_kind(kind);
    refusal.set_epoch(17);
    EXPECT_EQ(ReasonFor(refusal), v1::REFUSAL_REASON_UNSPECIFIED);
  }
}

TEST(AdmissionTest, ARequestDoesNotEscapeTheEpochByNamingARefusedKind) {
  EXPECT_EQ(ReasonAfter([](auto& header) {
              header.set_epoch(17);
              header.set_refused_kind(v1::FRAME_KIND_REDUCE);
            }),
            v1::REFUSAL_REASON_WRONG_EPOCH);
}

TEST(AdmissionTest, AnotherModelIsRefused) {
  EXPECT_EQ(ReasonAfter([](auto& header) { header.set_model_fingerprint(91); }),
            v1::REFUSAL_REASON_WRONG_MODEL);
}

TEST(AdmissionTest, AShardThatDoesNotFitIsRefused) {
  const std::vector<std::function<void(v1::ShardHeader&)>> changes = {
      [](auto& header) { header.set_shard_count(4); },
      [](auto& header) { header.set_shard_count(0); },
      [](auto& header) { header.set_shard(3); },
      [](auto& header) { header.set_shard(std::numeric_limits<uint32_t>::max()); },
      [](auto& header) { header.set_shard(1); },
      [](auto& header) { header.set_offset(9); },
      [](auto& header) { header.set_offset(std::numeric_limits<uint64_t>::max()); },
      [](auto& header) { header.set_elements(1); },
      [](auto& header) { header.set_elements(4); },
      [](auto& header) { header.set_elements(0); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(ReasonAfter(changes[i]), v1::REFUSAL_REASON_WRONG_LENGTH) << i;
  }
}

TEST(AdmissionTest, FramesOfTheAlgorithmsOwnRoundsMayBeCutOtherwise) {
  for (const v1::FrameKind kind :
       {v1::FRAME_KIND_REDUCE, v1::FRAME_KIND_AVERAGE, v1::FRAME_KIND_NEIGHBOUR_VALUES,
        v1::FRAME_KIND_NEIGHBOUR_ASK}) {
    v1::ShardHeader header = Header(kind);
    header.set_lane(v1::ROUND_LANE_ALGORITHM);
    header.set_shard(7);
    header.set_shard_count(9);
    EXPECT_EQ(ReasonFor(header), v1::REFUSAL_REASON_UNSPECIFIED) << kind;
    // Their epoch is the run's.
    header.set_epoch(header.epoch() + 1);
    EXPECT_EQ(ReasonFor(header), v1::REFUSAL_REASON_WRONG_EPOCH) << kind;
    header.set_epoch(header.epoch() - 1);
    header.set_refused_kind(kind);
    header.set_kind(v1::FRAME_KIND_REFUSAL);
    EXPECT_EQ(ReasonFor(header), v1::REFUSAL_REASON_UNSPECIFIED) << kind;
  }
}

TEST(AdmissionTest, NoOtherFrameEscapesTheGeometryByNamingThatLane) {
  for (const v1::FrameKind kind :
       {v1::FRAME_KIND_MIX_REQUEST, v1::FRAME_KIND_MIX_REPLY, v1::FRAME_KIND_SETTLE,
        v1::FRAME_KIND_STATE_REQUEST, v1::FRAME_KIND_STATE_REPLY}) {
    for (const bool refusal : {false, true}) {
      v1::ShardHeader header = Header(refusal ? v1::FRAME_KIND_REFUSAL : kind);
      if (refusal) header.set_refused_kind(kind);
      header.set_lane(v1::ROUND_LANE_ALGORITHM);
      header.set_shard(99);
      EXPECT_EQ(ReasonFor(header), v1::REFUSAL_REASON_WRONG_LENGTH) << kind;
    }
  }
}

TEST(AdmissionTest, AFrameFromNobodyOrFromOurselvesIsRefused) {
  for (const uint64_t sender : {0u, 1u}) {
    EXPECT_EQ(ReasonAfter([&](auto& header) { header.set_sender(sender); }),
              v1::REFUSAL_REASON_BAD_REQUEST);
  }
}

TEST(AdmissionTest, NothingElseIsJudged) {
  EXPECT_EQ(ReasonAfter([](auto& header) {
              header.set_sender_incarnation(0);
              header.set_exchange_id(std::numeric_limits<uint64_t>::max());
              header.set_step(0);
              header.set_round(99);
              header.set_weight(-1);
              header.set_detail("whatever");
              header.set_committed(true);
            }),
            v1::REFUSAL_REASON_UNSPECIFIED);
}

}  // namespace
}  // namespace starling
