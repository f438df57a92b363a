#include "peer/gossip/reply_ledger.h"

#include <tuple>
#include <utility>

#include "peer/runtime/check.h"

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

void ReplyLedger::Orphan(double norm) {
  if (norm == 0) return;  // nothing of ours was changed, so nothing is missing anywhere
  ++orphans_;
  orphaned_norm_ += norm;
}

void ReplyLedger::Close(Page& page) {
  for (Entry& entry : page.entries) {
    if (entry.state == State::kReplied) Orphan(entry.norm);
    // A pending answer finds its page replaced and becomes an orphan in OnAnswered.
    entry = Entry{State::kClosed, {}, 0};
  }
}

ReplyLedger::RequestVerdict ReplyLedger::OnRequest(PeerId initiator, Incarnation incarnation,
                                                   ExchangeId exchange, uint32_t shard) {
  STARLING_CHECK(shard < shards_);
  auto found = pages_.find(initiator);
  if (found == pages_.end()) {
    if (pages_.size() >= page_limit_) {
      auto oldest = pages_.begin();
      for (auto page = pages_.begin(); page != pages_.end(); ++page) {
        if (page->second.opened < oldest->second.opened) oldest = page;
      }
      Close(oldest->second);
      pages_.erase(oldest);
    }
    found = pages_.emplace(initiator, Page{}).first;
  }
  Page& page = found->second;
  const auto asked = std::make_tuple(incarnation, exchange);
  const auto open = std::make_tuple(page.incarnation, page.exchange);
  if (!page.entries.empty() && asked < open) return RequestVerdict::kStale;
  if (page.entries.empty() || asked > open) {
    Close(page);
    page = Page{incarnation, exchange, ++opened_, 0, std::vector<Entry>(shards_)};
  }
  Entry& entry = page.entries[shard];
  switch (entry.state) {
    case State::kEmpty:
      entry.state = State::kPending;
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

const SharedBytes& ReplyLedger::replay(PeerId initiator, uint32_t shard) const {
  const auto found = pages_.find(initiator);
  STARLING_CHECK(found != pages_.end() && shard < found->second.entries.size());
  return found->second.entries[shard].reply;
}

bool ReplyLedger::OnAnswered(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                             uint32_t shard, SharedBytes reply, double norm) {
  Page* page = Find(initiator, incarnation, exchange);
  if (page == nullptr || page->entries[shard].state != State::kPending) {
    Orphan(norm);
    if (page != nullptr) page->entries[shard] = Entry{State::kClosed, {}, 0};
    return false;
  }
  page->entries[shard] = Entry{State::kReplied, std::move(reply), norm};
  if (++page->answered == shards_) ++exchanges_answered_;
  return true;
}

void ReplyLedger::OnAnswerRefused(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                                  uint32_t shard) {
  Page* page = Find(initiator, incarnation, exchange);
  if (page != nullptr && page->entries[shard].state == State::kPending) {
    page->entries[shard] = Entry{};
  }
}

void ReplyLedger::OnSettled(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                            uint32_t shard, bool committed) {
  STARLING_CHECK(shard < shards_);
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
      if (!committed) Orphan(entry.norm);
      entry = Entry{State::kClosed, {}, 0};
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
