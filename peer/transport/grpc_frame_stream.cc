#include "peer/transport/grpc_frame_stream.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

// What a frame costs beside its payload, so that empty frames too fill a queue.
constexpr size_t kFrameOverhead = 512;

size_t Charge(const Frame& frame) {
  return kFrameOverhead + frame.header.ByteSizeLong() + frame.payload.size();
}

uint64_t RandomChallenge() {
  std::random_device random;
  return std::uniform_int_distribution<uint64_t>(1)(random);
}

// Adds to a word that is still to be sent.
void Say(const absl::optional<v1::SameHost>& more, absl::optional<v1::SameHost>* word) {
  if (!more) return;
  if (!*word) word->emplace();
  (*word)->MergeFrom(*more);
}

// Answers on the stream that brought the question, for as long as that lives.
class StreamReplyPath final : public ReplyPath {
 public:
  explicit StreamReplyPath(std::weak_ptr<GrpcFrameStream> stream) : stream_(std::move(stream)) {}

  void Send(Frame frame) override {
    if (auto stream = stream_.lock()) stream->Send(std::move(frame)).IgnoreError();
  }

 private:
  const std::weak_ptr<GrpcFrameStream> stream_;
};

}  // namespace

GrpcFrameStream::GrpcFrameStream(std::shared_ptr<GrpcStreamShared> shared)
    : shared_(std::move(shared)) {}

GrpcFrameStream::~GrpcFrameStream() {
  absl::MutexLock lock(&mutex_);
  if (same_host_ == nullptr || !same_host_->keeps()) return;
  // The other end may be about to copy what it was referred to last.
  Executor* const control = shared_->control;
  control->ScheduleAt(control->Now() + kAfterlife,
                      [kept = std::shared_ptr<SameHostPath>(std::move(same_host_))] {});
}

absl::Status GrpcFrameStream::Send(Frame frame) {
  if (frame.payload.size() > kMaxPayloadBytes || frame.header.ByteSizeLong() > kMaxHeaderBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("frame with a header of ", frame.header.ByteSizeLong(), " and a payload of ",
                     frame.payload.size(), " bytes; limits ", kMaxHeaderBytes, " and ",
                     kMaxPayloadBytes));
  }
  const size_t charge = Charge(frame);
  {
    absl::MutexLock lock(&mutex_);
    if (ended_ || closing_) {
      shared_->frames_dropped.fetch_add(1, std::memory_order_relaxed);
      return absl::UnavailableError("the stream is closed");
    }
    const size_t limit = shared_->max_queued_bytes.load(std::memory_order_relaxed);
    if (queued_bytes_ + charge > limit) {
      shared_->frames_dropped.fetch_add(1, std::memory_order_relaxed);
      return absl::ResourceExhaustedError(
          absl::StrCat(queued_bytes_, " bytes wait to be sent, limit ", limit,
                       "; the peer reads too slowly"));
    }
    ++activity_;
    queued_bytes_ += charge;
    queue_.push_back(std::move(frame));
    if (std::exchange(writing_, true)) return absl::OkStatus();
  }
  PumpWrites();
  return absl::OkStatus();
}

// Whoever sets writing_ calls this. Encodes without the mutex: hashing a payload takes a while.
void GrpcFrameStream::PumpWrites() {
  if (!TakeOutgoing()) return;
  absl::MutexLock lock(&mutex_);
  if (ended_) {
    writing_ = false;
    outgoing_.Clear();
    return;
  }
  StartWriteOp(&outgoing_, outgoing_more_);
}

bool GrpcFrameStream::TakeOutgoing() {
  Frame frame;
  absl::optional<v1::SameHost> word;
  bool only_word = false;
  bool refers = false;
  {
    absl::MutexLock lock(&mutex_);
    word = std::exchange(word_, absl::nullopt);
    if (same_host_ != nullptr && same_host_->fetched_untold() &&
        (word || !queue_.empty() || WordIsDue())) {
      if (!word) word.emplace();
      same_host_->TellFetched(&*word);
      tell_now_ = false;
    }
    only_word = queue_.empty() && word;
    if (ended_ || (queue_.empty() && !word)) {
      writing_ = false;
      if (!ended_ && closing_) ended_ = StartCloseOp();
      return false;
    }
    if (!only_word) {
      frame = std::move(queue_.front());
      queue_.pop_front();
      shared_->bytes_sent.fetch_add(frame.payload.size(), std::memory_order_relaxed);
      outgoing_charge_ = Charge(frame);
      // Whoever closes is not told any more what the other end has done with.
      refers = same_host_ != nullptr && !closing_ && same_host_->Takes(frame.payload.size());
      if (refers) {
        outgoing_charge_ -= frame.payload.size();
        Say(same_host_->Refer(frame.payload), &word);
      }
    } else {
      outgoing_charge_ = 0;
    }
    outgoing_more_ = !queue_.empty();
  }
  if (only_word) {
    outgoing_ = EncodeWordAlone(*word);
  } else if (refers) {
    outgoing_ = EncodeReferringFrame(std::move(frame), *word);
  } else {
    outgoing_ = EncodeFrame(std::move(frame), word ? &*word : nullptr);
  }
  return true;
}

void GrpcFrameStream::WriteDone(bool ok) {
  outgoing_.Clear();
  {
    absl::MutexLock lock(&mutex_);
    queued_bytes_ -= outgoing_charge_;
  }
  if (!ok) End(absl::OkStatus());
  PumpWrites();
}

void GrpcFrameStream::Close() {
  absl::MutexLock lock(&mutex_);
  if (ended_ || std::exchange(closing_, true)) return;
  if (!writing_) ended_ = StartCloseOp();
}

void GrpcFrameStream::End(absl::Status why) {
  std::deque<Frame> dropped;
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(ended_, true)) return;
    end_reason_ = why;
    dropped.swap(queue_);
    for (const Frame& frame : dropped) queued_bytes_ -= Charge(frame);
  }
  shared_->frames_dropped.fetch_add(dropped.size(), std::memory_order_relaxed);
  EndOp(why);
}

void GrpcFrameStream::Begin(bool proposes) {
  {
    absl::MutexLock lock(&mutex_);
    StartReadOp(&incoming_);
    proposes_ = proposes;
  }
  ProposeSameHost();
}

void GrpcFrameStream::ProposeSameHost() {
  {
    absl::MutexLock lock(&mutex_);
    if (!proposes_ || ended_ || closing_ || SameHost() == nullptr) return;
    proposes_ = false;
    Say(same_host_->Propose(), &word_);
    if (!word_ || std::exchange(writing_, true)) return;
  }
  PumpWrites();
}

SameHostPath* GrpcFrameStream::SameHost() {
  if (same_host_ == nullptr && shared_->options.same_host_copies && OtherEndIsHere()) {
    same_host_ = std::make_unique<SameHostPath>(RandomChallenge());
  }
  return same_host_.get();
}

// Before what came with the word is delivered.
void GrpcFrameStream::OnWord(const DecodedFrame& decoded) {
  bool tell_later = false;
  bool write = false;
  {
    absl::MutexLock lock(&mutex_);
    const bool first = same_host_ == nullptr;
    SameHostPath* const same_host = SameHost();
    if (ended_ || same_host == nullptr) return;
    size_t released = 0;
    Say(same_host->OnWord(*decoded.word, &released), &word_);
    queued_bytes_ -= released;
    if (decoded.word->payload_bytes() > 0) {
      same_host->NoteFetched(decoded.word->payload_bytes());
      if (decoded.fault) {
        v1::SameHost decline;
        decline.set_declined(true);
        Say(decline, &word_);
      }
    }
    if (first) Say(same_host->Propose(), &word_);
    if (closing_) return;
    if (word_ || WordIsDue()) {
      write = !std::exchange(writing_, true);
    } else if (same_host->fetched_untold()) {
      tell_later = !std::exchange(tell_timer_, true);
    }
  }
  if (write) PumpWrites();
  if (tell_later) {
    Executor* const control = shared_->control;
    control->ScheduleAt(control->Now() + kTellWithin, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->TellFetched();
    });
  }
}

bool GrpcFrameStream::WordIsDue() const {
  return same_host_ != nullptr && same_host_->fetched_untold() &&
         (tell_now_ || same_host_->owes_word());
}

void GrpcFrameStream::TellFetched() {
  {
    absl::MutexLock lock(&mutex_);
    tell_timer_ = false;
    if (ended_ || closing_ || same_host_ == nullptr || !same_host_->fetched_untold()) return;
    tell_now_ = true;
    if (std::exchange(writing_, true)) return;
  }
  PumpWrites();
}

void GrpcFrameStream::ReadDone(bool ok) {
  if (!ok) {
    OnReadsOver();
    return;
  }
  Received();
  absl::MutexLock lock(&mutex_);
  if (ended_) return;
  if (undelivered_bytes_ > shared_->options.max_undelivered_bytes) {
    read_paused_ = true;
  } else {
    StartReadOp(&incoming_);
  }
}

void GrpcFrameStream::Received() {
  DecodedFrame decoded;
  int64_t process = 0;
  bool first = false;
  {
    absl::MutexLock lock(&mutex_);
    if (same_host_ != nullptr) process = same_host_->process();
    first = !std::exchange(read_something_, true);
  }
  if (first) ProposeSameHost();
  const absl::Status status = DecodeFrame(incoming_, shared_->pool, process, &decoded);
  incoming_.Clear();
  if (decoded.word) OnWord(decoded);
  if (status.ok() && decoded.only_word) return;
  if (!status.ok()) {
    End(status);
    decoded.fault = FrameFault{v1::REFUSAL_REASON_CORRUPT, std::string(status.message())};
  } else if (decoded.fault) {
    Refuse(decoded.frame.header, *decoded.fault);
  }
  const size_t charge = Charge(decoded.frame);
  const size_t payload_size = decoded.frame.payload.size();
  shared_->bytes_received.fetch_add(payload_size, std::memory_order_relaxed);
  if (decoded.word && decoded.word->payload_bytes() > 0) {
    shared_->bytes_copied.fetch_add(payload_size, std::memory_order_relaxed);
  }
  {
    absl::MutexLock lock(&mutex_);
    ++activity_;
    undelivered_bytes_ += charge;
  }
  shared_->control->Post(
      [self = shared_from_this(), charge, decoded = std::move(decoded)]() mutable {
        self->Deliver(std::move(decoded));
        self->Delivered(charge);
      });
}

// On the control executor.
void GrpcFrameStream::Deliver(DecodedFrame decoded) {
  Transport::Delegate* delegate = shared_->delegate;
  if (decoded.fault) {
    if (delegate != nullptr) delegate->OnFrameRefused(decoded.frame.header, decoded.fault->reason);
  } else if (delegate != nullptr) {
    delegate->OnFrame(std::move(decoded.frame),
                      std::make_shared<StreamReplyPath>(weak_from_this()));
  } else {
    Refuse(decoded.frame.header,
           {v1::REFUSAL_REASON_NOT_TRAINING, "this peer is starting or leaving"});
  }
}

void GrpcFrameStream::Delivered(size_t charge) {
  absl::MutexLock lock(&mutex_);
  undelivered_bytes_ -= charge;
  // Down to a half, so that reading does not stop and go with every frame.
  if (ended_ || !read_paused_ ||
      undelivered_bytes_ > shared_->options.max_undelivered_bytes / 2) {
    return;
  }
  read_paused_ = false;
  StartReadOp(&incoming_);
}

void GrpcFrameStream::Refuse(const v1::ShardHeader& header, FrameFault fault) {
  // A refusal is never refused, or two peers could go on for ever.
  if (header.kind() == v1::FRAME_KIND_REFUSAL) return;
  Frame refusal = MakeRefusal(header, fault.reason, std::move(fault.detail));
  refusal.header.DiscardUnknownFields();
  shared_->Sign(refusal.header);
  Send(std::move(refusal)).IgnoreError();
}

bool GrpcFrameStream::finished() const {
  absl::MutexLock lock(&mutex_);
  return closing_ || ended_;
}

uint64_t GrpcFrameStream::Activity(bool* busy) const {
  absl::MutexLock lock(&mutex_);
  *busy = writing_;
  return activity_;
}

absl::Status GrpcFrameStream::end_reason() const {
  absl::MutexLock lock(&mutex_);
  return end_reason_;
}

bool GrpcFrameStream::closing() const {
  absl::MutexLock lock(&mutex_);
  return closing_;
}

}  // namespace starling
