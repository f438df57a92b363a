#include "tests/sim/simulation_sums.h"

namespace starling {

void AddTo(v1::GossipStatus& total, const v1::GossipStatus& more) {
  total.set_exchanges_started(total.exchanges_started() + more.exchanges_started());
  total.set_exchanges_committed(total.exchanges_committed() + more.exchanges_committed());
  total.set_exchanges_partial(total.exchanges_partial() + more.exchanges_partial());
  total.set_exchanges_failed(total.exchanges_failed() + more.exchanges_failed());
  total.set_exchanges_answered(total.exchanges_answered() + more.exchanges_answered());
  total.set_shards_committed(total.shards_committed() + more.shards_committed());
  total.set_shards_answered(total.shards_answered() + more.shards_answered());
  total.set_bytes_sent(total.bytes_sent() + more.bytes_sent());
  total.set_bytes_received(total.bytes_received() + more.bytes_received());
  total.set_orphaned_delta_norm(total.orphaned_delta_norm() + more.orphaned_delta_norm());
  total.set_orphaned_deltas(total.orphaned_deltas() + more.orphaned_deltas());
  for (const v1::RefusalCount& count : more.refused()) {
    v1::RefusalCount* entry = nullptr;
    for (v1::RefusalCount& known : *total.mutable_refused()) {
      if (known.reason() == count.reason()) entry = &known;
    }
    if (entry == nullptr) entry = total.add_refused();
    entry->set_reason(count.reason());
    entry->set_count(entry->count() + count.count());
  }
}

}  // namespace starling
