// Many WebSocket clients of one server on a thread of their own, as plain as they can be: they listen to one topic, take what
// comes and count its frames. What is measured beside them is the server.
#pragma once

#include "models/types/result.h"

#include <QStringList>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace foundry::bench {

class FanReaders {
public:
    ~FanReaders();

    // Connects once to each of these paths (they carry the tokens) and listens to `topic`; `ready` comes from the thread once all have
    // been answered.
    void start(quint16 port, const QStringList &paths, const QString &topic, std::function<void(bool)> ready);
    // Text frames of all connections together.
    qint64 frames() const { return m_frames; }
    qint64 bytes() const { return m_bytes; }
    // `reached` comes from the thread when so many frames are there.
    void notifyAt(qint64 frames, std::function<void()> reached);

private:
    struct Reader {
        int socket = -1;
        QByteArray pending;
    };
    bool connectAll(quint16 port, const QStringList &paths, const QString &topic);
    void loop();
    void take(Reader &reader);

    std::vector<Reader> m_readers;
    std::thread m_thread;
    std::atomic<qint64> m_frames = 0;
    std::atomic<qint64> m_bytes = 0;
    std::atomic<qint64> m_wanted = -1;
    std::function<void()> m_reached;
    std::atomic<bool> m_end = false;
};

} // namespace foundry::bench
