#include "peer/gossip/reply_ledger.h"

#include <cmath>
#include <tuple>
#include <utility>

namespace starling {

ReplyLedger::Page* ReplyLedger::Find(PeerId initiator, Incarnation incarnation,
                                     ExchangeId exchange) {
  const auto found = pages_.find(initiator);
  if (found == pages_.end() || found->second.incarnation != incarnation ||
      found->second.exchange != exchange) {
    return nullptr;
  }
  return &found->second;
}

bool ReplyLedger::IsNew(PeerId initiator, Incarnation incarnation, ExchangeId exchange) const {
  const auto found = pages_.find(initiator);
  return found == pages_.end() || std::tie(found->second.incarnation, found->second.exchange) <
                                      std::tie(incarnation, exchange);
}

ReplyLedger::Page& ReplyLedger::Open(PeerId initiator, Incarnation incarnation,
                                     ExchangeId exchange) {
  if (pages_.count(initiator) == 0 && pages_.size() >= page_limit_) {
    auto oldest = pages_.begin();
    for (auto page = pages_.begin(); page != pages_.end(); ++page) {
      if (page->second.opened < oldest->second.opened) oldest = page;
    }
    Close(oldest->second);
    pages_.erase(oldest);
  }
  Page& page = pages_[initiator];
  Close(page);
  page = Page{incarnation, exchange, ++opened_, 0, 0, std::vector<Entry>(shards_)};
  return page;
}

void ReplyLedger::Orphan(const MixAnswer& answer) {
  if (answer.squared_delta == 0) return;  // nothing of ours was changed, so nothing is missing
  ++orphans_;
  orphaned_norm_ += std::sqrt(answer.squared_delta);
}

void ReplyLedger::Close(Page& page) {
  for (Entry& entry : page.entries) {
    if (entry.state == State::kReplied) Orphan(entry.answer);
    // A pending answer finds its entry closed, or its page gone, and becomes an orphan then.
    entry = Entry{State::kClosed, {}};
  }
}

ReplyLedger::RequestVerdict ReplyLedger::Judge(PeerId initiator, Incarnation incarnation,
                                               ExchangeId exchange, uint32_t shard) const {
  STARLING_CHECK(shard < shards_);
  if (IsNew(initiator, incarnation, exchange)) return RequestVerdict::kAnswer;
  const Page& page = pages_.at(initiator);
  if (page.incarnation != incarnation || page.exchange != exchange) return RequestVerdict::kStale;
  switch (page.entries[shard].state) {
    case State::kEmpty:
      return RequestVerdict::kAnswer;
    case State::kPending:
    case State::kDoomed:
      return RequestVerdict::kPending;
    case State::kReplied:
      return RequestVerdict::kReplay;
    case State::kClosed:
      return RequestVerdict::kStale;
  }
  return RequestVerdict::kStale;
}

void ReplyLedger::OnRequest(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                            uint32_t shard) {
  STARLING_CHECK(Judge(initiator, incarnation, exchange, shard) == RequestVerdict::kAnswer);
  if (IsNew(initiator, incarnation, exchange)) Open(initiator, incarnation, exchange);
  pages_.at(initiator).entries[shard].state = State::kPending;
}

const MixAnswer& ReplyLedger::replay(PeerId initiator, uint32_t shard) const {
  const auto found = pages_.find(initiator);
  STARLING_CHECK(found != pages_.end() && shard < shards_);
  return found->second.entries[shard].answer;
}

ReplyLedger::Answered ReplyLedger::OnAnswered(PeerId initiator, Incarnation incarnation,
                                              ExchangeId exchange, uint32_t shard,
                                              MixAnswer answer) {
  STARLING_CHECK(shard < shards_);
  Page* page = Find(initiator, incarnation, exchange);
  if (page == nullptr || page->entries[shard].state != State::kPending) {
    Orphan(answer);
    if (page != nullptr) page->entries[shard] = Entry{State::kClosed, {}};
    return {};
  }
  page->squared_distance += answer.squared_distance;
  page->entries[shard] = Entry{State::kReplied, std::move(answer)};
  const bool completed = ++page->answered == shards_;
  if (completed) ++exchanges_answered_;
  return {true, completed, page->squared_distance};
}

void ReplyLedger::OnAnswerRefused(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                                  uint32_t shard) {
  Page* page = Find(initiator, incarnation, exchange);
  if (page == nullptr) return;
  Entry& entry = page->entries[shard];
  if (entry.state == State::kPending) entry = Entry{};
  if (entry.state == State::kDoomed) entry.state = State::kClosed;
}

void ReplyLedger::OnSettled(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                            uint32_t shard, bool committed) {
  STARLING_CHECK(shard < shards_);
  if (!committed && IsNew(initiator, incarnation, exchange)) Open(initiator, incarnation, exchange);
  Page* page = Find(initiator, incarnation, exchange);
  if (page == nullptr) return;
  Entry& entry = page->entries[shard];
  switch (entry.state) {
    case State::kEmpty:
      // Given up before the request came: a request that still comes must not be applied.
      if (!committed) entry.state = State::kClosed;
      return;
    case State::kPending:
      if (!committed) entry.state = State::kDoomed;
      return;
    case State::kReplied:
      if (!committed) Orphan(entry.answer);
      entry = Entry{State::kClosed, {}};
      return;
    case State::kDoomed:
    case State::kClosed:
      return;
  }
}

void ReplyLedger::OnPeerGone(PeerId initiator) {
  const auto found = pages_.find(initiator);
  if (found == pages_.end()) return;
  // The page stays, closed, so that what is still under way from that peer is not applied twice.
  Close(found->second);
}

}  // namespace starling
