#include "backend/actors/tasktranscripts.h"

#include <QLoggingCategory>

#include <algorithm>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTranscripts, "foundry.actors.transcripts")

namespace {

constexpr int transcriptBatchMs = 50;
constexpr qsizetype transcriptBatchBytes = 128 * 1024;
constexpr int transcriptRetryMs = 1000; // after a batch that could not be written (a full disk)

} // namespace

TaskTranscripts::TaskTranscripts(ActorContext &context, BlobStore blobs, std::function<void(Transaction &)> flushed)
    : m_context(context)
    , m_blobs(std::move(blobs))
    , m_flushed(std::move(flushed))
    , m_timer(new QTimer(context.owner()))
{
    m_timer->setSingleShot(true);
    m_timer->setTimerType(Qt::PreciseTimer);
    QObject::connect(m_timer, &QTimer::timeout, m_timer, [this] { flushAll(); });
}

// The timer belongs to the context's owner and has gone with it.
TaskTranscripts::~TaskTranscripts() = default;

TranscriptWriter &TaskTranscripts::of(const SessionId &session)
{
    auto &writer = m_writers[session.value];
    if (!writer)
        writer = std::make_unique<TranscriptWriter>(m_context, m_blobs, session);
    return *writer;
}

void TaskTranscripts::recover()
{
    for (auto &[id, writer] : m_writers)
        writer->recover();
}

void TaskTranscripts::streamed(const AgentUpdate &update, qsizetype bytes)
{
    TranscriptWriter &writer = of(update.session);
    writer.buffer(update.entry, bytes);
    if (writer.bufferedBytes() > transcriptBatchBytes) {
        flushAll();
        return;
    }
    if (m_timer->isActive())
        return;
    const qint64 since = m_sinceFlush.isValid() ? m_sinceFlush.elapsed() : transcriptBatchMs;
    m_timer->start(since >= transcriptBatchMs ? 0 : int(transcriptBatchMs - since));
}

void TaskTranscripts::arrived(const ActorAddress &from, const StreamMark &mark, bool asked)
{
    m_source = from;
    m_arrived = mark;
    // Asked: a batch that could not be written before is tried again.
    if (asked)
        flushAll();
    if (!hasBuffered())
        confirm(asked);
}

void TaskTranscripts::confirm(bool asked)
{
    const bool far = m_arrived.epoch != m_confirmed.epoch || m_arrived.bytes - m_confirmed.bytes >= StreamFlow::confirmEvery;
    if (m_source.name.isEmpty() || !(asked || far))
        return;
    m_confirmed = m_arrived;
    m_context.stream(m_source, QStringLiteral("flowReached"), encodeStreamMark(m_confirmed));
}

bool TaskTranscripts::hasBuffered() const
{
    return std::any_of(m_writers.begin(), m_writers.end(), [](const auto &writer) { return writer.second->hasBuffered(); });
}

std::optional<std::pair<qint64, QString>> TaskTranscripts::growing(const SessionId &session)
{
    return of(session).growing();
}

void TaskTranscripts::flushAll()
{
    m_timer->stop();
    recover();
    if (!hasBuffered())
        return;
    auto written = m_context.transaction([this](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("agent")});
        for (auto &[id, writer] : m_writers)
            writer->flush(tx);
        m_flushed(tx);
        return Unit{};
    });
    m_sinceFlush.start();
    if (written) {
        confirm(false);
        return;
    }
    // Kept in the buffers; the source is not read meanwhile, because nothing is confirmed.
    qCWarning(lcTranscripts, "a transcript batch was not written: %ls", qUtf16Printable(written.error().message));
    recover();
    m_timer->start(transcriptRetryMs);
}

} // namespace foundry::backend
