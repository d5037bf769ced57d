#include "backend/processes/processlog.h"

#include <QDir>
#include <QFile>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace foundry::backend {

namespace {

constexpr int processlogSegments = 8;
constexpr QLatin1StringView processlogSuffix(".log");

} // namespace

ProcessLog::ProcessLog(QString directory, qint64 limit)
    : m_directory(std::move(directory))
    , m_limit(std::max<qint64>(limit, 4096))
    , m_segmentSize(m_limit / processlogSegments)
{
    const QFileInfoList files = QDir(m_directory).entryInfoList({QLatin1Char('*') + processlogSuffix}, QDir::Files, QDir::Name);
    for (const QFileInfo &file : files) {
        bool isNumber = false;
        const Segment segment{file.completeBaseName().toLongLong(&isNumber), file.size()};
        if (!isNumber)
            continue;
        // One that does not reach the next was cut short by a power loss, or the disk was full: what comes before is no
        // longer in one piece with the rest.
        if (!m_segments.isEmpty() && m_segments.last().start + m_segments.last().size != segment.start)
            m_segments.clear();
        m_segments.append(segment);
        m_end = segment.start + segment.size;
    }
}

QString ProcessLog::path(const Segment &segment) const
{
    // As many digits as a number can have, so that names sort like numbers.
    return QStringLiteral("%1/%2").arg(m_directory).arg(segment.start, 19, 10, QLatin1Char('0')) + processlogSuffix;
}

bool ProcessLog::openSegment()
{
    if (m_fd.isOpen() && !m_segments.isEmpty() && m_segments.last().size < m_segmentSize)
        return true;
    if (m_segments.isEmpty() || m_segments.last().size >= m_segmentSize) {
        QDir().mkpath(m_directory);
        const Segment next{m_end, 0};
        m_fd.reset(::open(QFile::encodeName(path(next)).constData(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (m_fd.isOpen())
            m_segments.append(next);
        return m_fd.isOpen();
    }
    m_fd.reset(::open(QFile::encodeName(path(m_segments.last())).constData(), O_WRONLY | O_APPEND | O_CLOEXEC));
    return m_fd.isOpen();
}

void ProcessLog::dropFirst()
{
    if (m_segments.size() == 1)
        m_fd.reset();
    QFile::remove(path(m_segments.takeFirst()));
}

bool ProcessLog::write(QByteArrayView bytes)
{
    while (!bytes.isEmpty()) {
        if (!openSegment())
            return false;
        const qint64 room = std::max<qint64>(1, m_segmentSize - m_segments.last().size);
        const ssize_t wrote = ::write(m_fd.get(), bytes.data(), size_t(std::min<qint64>(room, bytes.size())));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            if (m_segments.size() < 2)
                return false;
            dropFirst(); // a full disk: the newest is worth more
            continue;
        }
        m_segments.last().size += wrote;
        m_end += wrote;
        bytes = bytes.sliced(wrote);
        while (kept() > m_limit && m_segments.size() > 1)
            dropFirst();
    }
    return true;
}

void ProcessLog::append(QByteArrayView bytes)
{
    const qint64 end = m_end + bytes.size();
    if (write(bytes))
        return;
    while (!m_segments.isEmpty())
        dropFirst();
    m_end = end;
}

Result<QByteArray> ProcessLog::read(qint64 offset, qint64 length) const
{
    QByteArray bytes;
    for (const Segment &segment : m_segments) {
        const qint64 from = offset + bytes.size() - segment.start;
        if (from < 0 || from >= segment.size || bytes.size() >= length)
            continue;
        QFile file(path(segment));
        if (!file.open(QIODevice::ReadOnly | QIODevice::Unbuffered) || !file.seek(from)) {
            return makeError(QLatin1StringView("internal"), QLatin1StringView("storage"),
                QStringLiteral("The log of the process cannot be read: %1.").arg(file.errorString()),
                QStringLiteral("Check the data folder's disk."));
        }
        bytes += file.read(std::min(length - bytes.size(), segment.size - from));
    }
    return bytes;
}

void ProcessLog::remove(const QString &directory)
{
    // Only what a log is made of: never a tree.
    QDir folder(directory);
    const QStringList files = folder.entryList({QLatin1Char('*') + processlogSuffix}, QDir::Files);
    for (const QString &file : files)
        folder.remove(file);
    QDir().rmdir(directory);
}

} // namespace foundry::backend
