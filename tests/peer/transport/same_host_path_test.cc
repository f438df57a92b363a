#include "peer/transport/same_host_path.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/transport/same_host_memory.h"

namespace starling {
namespace {

// Both ends live in this process, whose memory they read as if it were another's.
class SameHostPathTest : public testing::Test {
 protected:
  SameHostPathTest() {
    if (HostId().empty()) ADD_FAILURE() << "this host has no boot id";
  }

  static absl::optional<v1::SameHost> Tell(SameHostPath& to,
                                           const absl::optional<v1::SameHost>& word) {
    size_t released = 0;
    return to.OnWord(*word, &released);
  }

  // `reader` proposes and accepts.
  static void Agree(SameHostPath& sender, SameHostPath& reader) {
    const auto proof = Tell(sender, reader.Propose());
    ASSERT_TRUE(proof);
    const auto acceptance = Tell(reader, proof);
    ASSERT_TRUE(acceptance && acceptance->accepted());
    EXPECT_FALSE(Tell(sender, acceptance));
  }

  static SharedBytes Payload(char fill, size_t size = SameHostPath::kLeastPayload) {
    auto text = std::make_shared<std::string>(size, fill);
    const char* data = text->data();
    return SharedBytes(std::move(text), data, size);
  }

  static absl::Status FetchInto(const SameHostPath& reader, const v1::SameHost& reference,
                                std::string* into) {
    into->resize(reference.payload_bytes());
    return SameHostPath::Fetch(reader.process(), reference, {&(*into)[0], into->size()});
  }

  SameHostPath sender_{11};
  SameHostPath reader_{22};
};

TEST_F(SameHostPathTest, WhatIsReferredToCanBeFetchedAfterAProposalAProofAndAnAcceptance) {
  EXPECT_FALSE(sender_.Takes(SameHostPath::kLeastPayload));
  EXPECT_EQ(reader_.process(), 0);
  Agree(sender_, reader_);
  EXPECT_TRUE(sender_.Takes(SameHostPath::kLeastPayload));
  EXPECT_FALSE(sender_.Takes(SameHostPath::kLeastPayload - 1));
  EXPECT_FALSE(reader_.Takes(SameHostPath::kLeastPayload)) << "the other direction agrees by itself";

  std::string copied;
  const absl::Status fetched = FetchInto(reader_, sender_.Refer(Payload('x')), &copied);
  ASSERT_TRUE(fetched.ok()) << fetched;
  EXPECT_EQ(copied, std::string(SameHostPath::kLeastPayload, 'x'));
}

TEST_F(SameHostPathTest, APayloadStaysUntilItIsFetchedAndIsCountedThen) {
  Agree(sender_, reader_);
  std::weak_ptr<const void> first, second;
  v1::SameHost reference;
  {
    const SharedBytes a = Payload('a'), b = Payload('b');
    first = a.owner();
    second = b.owner();
    sender_.Refer(a);
    reference = sender_.Refer(b);
  }
  EXPECT_FALSE(first.expired());
  reader_.NoteFetched(SameHostPath::kLeastPayload);
  EXPECT_TRUE(reader_.fetched_untold());
  v1::SameHost word;
  reader_.TellFetched(&word);
  EXPECT_FALSE(reader_.fetched_untold());
  size_t released = 0;
  EXPECT_FALSE(sender_.OnWord(word, &released));
  EXPECT_EQ(released, SameHostPath::kLeastPayload);
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(second.expired());
  EXPECT_TRUE(sender_.keeps());

  // Who claims to have fetched what was never sent gets nothing more than that.
  word.set_fetched(1'000'000);
  sender_.OnWord(word, &released);
  EXPECT_EQ(released, SameHostPath::kLeastPayload);
  EXPECT_FALSE(sender_.keeps());
}

TEST_F(SameHostPathTest, MuchThatWasFetchedDoesNotWaitForAFrameToBeToldWith) {
  Agree(sender_, reader_);
  EXPECT_FALSE(reader_.owes_word());
  reader_.NoteFetched(SameHostPath::kMostUntold - 1);
  EXPECT_FALSE(reader_.owes_word());
  reader_.NoteFetched(1);
  EXPECT_TRUE(reader_.owes_word());
  v1::SameHost word;
  reader_.TellFetched(&word);
  EXPECT_EQ(word.fetched(), 2);
  EXPECT_FALSE(reader_.owes_word());
}

TEST_F(SameHostPathTest, AFetchThatComesTooLateIsNoticed) {
  Agree(sender_, reader_);
  const v1::SameHost reference = sender_.Refer(Payload('a'));
  v1::SameHost wrong_ticket = reference;
  wrong_ticket.set_ticket(reference.ticket() + 1);
  std::string copied;
  EXPECT_EQ(FetchInto(reader_, wrong_ticket, &copied).code(), absl::StatusCode::kDataLoss);
  wrong_ticket.set_ticket(0);
  EXPECT_EQ(FetchInto(reader_, wrong_ticket, &copied).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(FetchInto(reader_, reference, &copied).ok());
}

TEST_F(SameHostPathTest, MemoryThatIsNotThereIsAnError) {
  Agree(sender_, reader_);
  v1::SameHost reference = sender_.Refer(Payload('a'));
  std::string copied;
  reference.set_payload_at(8);
  EXPECT_EQ(FetchInto(reader_, reference, &copied).code(), absl::StatusCode::kFailedPrecondition);
  reference.set_payload_at(UINT64_MAX - 5);
  EXPECT_EQ(FetchInto(reader_, reference, &copied).code(), absl::StatusCode::kFailedPrecondition);
  for (const int64_t process : {int64_t{-1}, int64_t{0}, int64_t{1} << 40}) {
    std::string into(4, ' ');
    EXPECT_FALSE(ReadProcessMemory(process, {}).ok() && process != 0);
    const RemotePiece piece{8, {&into[0], 4}};
    EXPECT_FALSE(ReadProcessMemory(process, {&piece, 1}).ok());
  }
}

TEST_F(SameHostPathTest, AProofThatDoesNotShowTheNumberIsNotAccepted) {
  const auto proof = Tell(sender_, reader_.Propose());
  ASSERT_TRUE(proof);
  const uint64_t other = 23;
  v1::SameHost wrong = *proof;
  wrong.set_shown_at(reinterpret_cast<uint64_t>(&other));
  EXPECT_FALSE(Tell(reader_, wrong));
  EXPECT_EQ(reader_.process(), 0);
  // Nor is there a second try.
  EXPECT_FALSE(Tell(reader_, proof));
  EXPECT_EQ(reader_.process(), 0);
}

TEST_F(SameHostPathTest, AnotherHostIsNotAnswered) {
  v1::SameHost proposal = *reader_.Propose();
  proposal.set_host("0b1c2d3e-0000-0000-0000-000000000000");
  EXPECT_FALSE(Tell(sender_, proposal));
}

TEST_F(SameHostPathTest, AnAcceptanceOfNothingChangesNothing) {
  v1::SameHost word;
  word.set_accepted(true);
  EXPECT_FALSE(Tell(sender_, word));
  EXPECT_FALSE(sender_.Takes(SameHostPath::kLeastPayload));
}

TEST_F(SameHostPathTest, WhoDeclinesIsSentNoMoreReferences) {
  Agree(sender_, reader_);
  v1::SameHost word;
  word.set_declined(true);
  Tell(sender_, word);
  EXPECT_FALSE(sender_.Takes(SameHostPath::kLeastPayload));
}

}  // namespace
}  // namespace starling
