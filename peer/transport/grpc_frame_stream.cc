#include "peer/transport/grpc_frame_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

// What a frame costs beside its payload, so that empty frames too fill a queue.
constexpr size_t kFrameOverhead = 512;

size_t Charge(const Frame& frame) {
  return kFrameOverhead + frame.header.ByteSizeLong() + frame.payload.size();
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
    if (queued_bytes_ + charge > shared_->options.max_queued_bytes) {
      shared_->frames_dropped.fetch_add(1, std::memory_order_relaxed);
      return absl::ResourceExhaustedError(
          absl::StrCat(queued_bytes_, " bytes wait to be sent, limit ",
                       shared_->options.max_queued_bytes, "; the peer reads too slowly"));
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
  Frame frame;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_ || queue_.empty()) {
      writing_ = false;
      if (!ended_ && closing_) ended_ = StartCloseOp();
      return;
    }
    frame = std::move(queue_.front());
    queue_.pop_front();
  }
  const size_t payload_size = frame.payload.size();
  outgoing_charge_ = Charge(frame);
  outgoing_ = EncodeFrame(std::move(frame));
  absl::MutexLock lock(&mutex_);
  if (ended_) {
    writing_ = false;
    outgoing_.Clear();
    return;
  }
  shared_->bytes_sent.fetch_add(payload_size, std::memory_order_relaxed);
  StartWriteOp(&outgoing_);
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

void GrpcFrameStream::Begin() {
  absl::MutexLock lock(&mutex_);
  StartReadOp(&incoming_);
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
  const absl::Status status = DecodeFrame(incoming_, shared_->pool, &decoded);
  incoming_.Clear();
  if (!status.ok()) {
    End(status);
    decoded.fault = FrameFault{v1::REFUSAL_REASON_CORRUPT, std::string(status.message())};
  } else if (decoded.fault) {
    Refuse(decoded.frame.header, *decoded.fault);
  }
  const size_t charge = Charge(decoded.frame);
  shared_->bytes_received.fetch_add(decoded.frame.payload.size(), std::memory_order_relaxed);
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
