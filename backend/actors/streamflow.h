// How much of a stream between two actors is under way. The sender counts what it has streamed and pauses its source above
// a limit; the receiver confirms what it has committed. Streams may be lost, so while the source is paused the sender asks
// again where the receiver is, and its answer counts for all that was sent before. Pure accounting; bytes.
#pragma once

#include "models/types/result.h"

#include <QByteArray>

namespace foundry::backend {

// A place in a stream: so many bytes since the sender's start number `epoch`.
struct StreamMark {
    qint64 epoch = 0;
    qint64 bytes = 0;
    friend bool operator==(const StreamMark &, const StreamMark &) = default;
};
// Streams "flowAsked" (sender → receiver) and "flowReached" (receiver → sender).
QByteArray encodeStreamMark(const StreamMark &mark);
Result<StreamMark> decodeStreamMark(const QByteArray &json);

class StreamFlow {
public:
    static constexpr qint64 pauseAbove = 1024 * 1024;
    static constexpr qint64 resumeBelow = 384 * 1024;
    static constexpr qint64 confirmEvery = 128 * 1024;

    explicit StreamFlow(qint64 epoch)
        : m_epoch(epoch)
    {
    }
    // A message carries where the stream was before it; the receiver adds its size.
    void sent(qint64 bytes) { m_sent += bytes; }
    StreamMark at() const { return {m_epoch, m_sent}; }
    void confirmed(const StreamMark &mark)
    {
        if (mark.epoch == m_epoch && mark.bytes > m_confirmed && mark.bytes <= m_sent)
            m_confirmed = mark.bytes;
    }
    qint64 underWay() const { return m_sent - m_confirmed; }
    bool mustPause() const { return underWay() > pauseAbove; }
    bool mayResume() const { return underWay() < resumeBelow; }

private:
    qint64 m_epoch;
    qint64 m_sent = 0;
    qint64 m_confirmed = 0;
};

} // namespace foundry::backend
