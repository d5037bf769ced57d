// What a process printed, as bytes by their offset since its start, bounded on disk: a row of segment files named by
// the offset they begin at, the oldest of which goes when there is too much. All is read from the files, so that a log
// is as good after SIGKILL as before. One writer; readers make their own object over the same folder.
#pragma once

#include "backend/processes/uniquefd.h"
#include "models/types/result.h"

#include <QByteArray>
#include <QList>
#include <QString>

namespace foundry::backend {

class ProcessLog {
public:
    // Looks what is there. The folder is made with the first byte. `limit`: bytes kept at most.
    explicit ProcessLog(QString directory, qint64 limit = 10 * 1024 * 1024);

    // Never fails and never waits for room: when the disk takes no more, the oldest goes first; what cannot be written all
    // the same is lost, and the log begins after it.
    void append(QByteArrayView bytes);
    // The first byte that is still kept, and all that was ever printed.
    qint64 start() const { return m_segments.isEmpty() ? m_end : m_segments.first().start; }
    qint64 end() const { return m_end; }
    // At most `length` bytes from `offset` on, which must lie in [start, end]; less at the end.
    Result<QByteArray> read(qint64 offset, qint64 length) const;

    static void remove(const QString &directory);

private:
    struct Segment {
        qint64 start = 0;
        qint64 size = 0;
    };
    QString path(const Segment &segment) const;
    bool write(QByteArrayView bytes);
    bool openSegment();
    void dropFirst();
    qint64 kept() const { return m_end - start(); }

    QString m_directory;
    qint64 m_limit;
    qint64 m_segmentSize;
    QList<Segment> m_segments; // without gaps
    qint64 m_end = 0;
    UniqueFd m_fd; // of the last segment, while this object writes
};

} // namespace foundry::backend
