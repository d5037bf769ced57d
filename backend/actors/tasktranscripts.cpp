#include "backend/actors/tasktranscripts.h"

#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTranscripts, "foundry.actors.transcripts")

namespace {

constexpr int transcriptBatchMs = 50;
constexpr qsizetype transcriptBatchBytes = 128 * 1024;

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

void TaskTranscripts::streamed(const AgentUpdate &update)
{
    TranscriptWriter &writer = of(update.session);
    writer.buffer(update.entry);
    if (writer.bufferedBytes() > transcriptBatchBytes) {
        flushAll();
        return;
    }
    if (m_timer->isActive())
        return;
    const qint64 since = m_sinceFlush.isValid() ? m_sinceFlush.elapsed() : transcriptBatchMs;
    m_timer->start(since >= transcriptBatchMs ? 0 : int(transcriptBatchMs - since));
}

void TaskTranscripts::flushAll()
{
    m_timer->stop();
    recover();
    bool any = false;
    for (auto &[id, writer] : m_writers)
        any = any || writer->hasBuffered();
    if (!any)
        return;
    auto written = m_context.transaction([this](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("agent")});
        for (auto &[id, writer] : m_writers)
            writer->flush(tx);
        m_flushed(tx);
        return Unit{};
    });
    if (!written) // kept in the buffers: the next flush writes them
        qCWarning(lcTranscripts, "a transcript batch was not written: %ls", qUtf16Printable(written.error().message));
    m_sinceFlush.start();
}

} // namespace foundry::backend
