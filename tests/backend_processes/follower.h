// What tests of terminals look with: a client that follows one, and a look into /proc.
#pragma once

#include "tests/backend_processes/sandboxworld.h"

#include <QFile>
#include <QRegularExpression>

namespace foundry::test {

inline bool lives(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return false;
    const QByteArray stat = file.readAll();
    return stat.mid(stat.lastIndexOf(')') + 2, 1) != "Z";
}

// The number of "name=123" in what a script printed.
inline qint64 numberIn(const QByteArray &output, const char *name)
{
    const auto match = QRegularExpression(QLatin1StringView(name) + QStringLiteral("=(\\d+)\\s")).match(QString::fromUtf8(output));
    return match.captured(1).toLongLong();
}

inline qint64 residentKiB(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/status").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    static const QRegularExpression resident(QStringLiteral("VmRSS:\\s+(\\d+) kB"));
    const auto match = resident.match(QString::fromUtf8(file.readAll()));
    return match.captured(1).toLongLong();
}

// A client that follows a terminal: subscribes, reads the page, applies the events that go on where it ends.
struct Follower {
    Follower(SandboxWorld &world, const ProcessId &process)
        : id(process)
        , client(world.openSandbox())
    {
        topic = QStringLiteral("terminal/") + id.value;
        client->subscribe(topic);
        const auto page = SandboxWorld::page(*client, id);
        if (!page)
            return;
        screen = page->data;
        end = page->end;
        sequence = page->seq;
        generation = page->generation;
    }
    void apply()
    {
        for (const wire::ReceivedEvent &received : std::exchange(client->events, {})) {
            const TopicEvent &event = received.event;
            if (event.topic != topic || !event.chunk || event.chunk->seq <= sequence)
                continue;
            problems += event.chunk->seq != sequence + 1 || event.revision != event.chunk->seq || event.generation != generation ? 1 : 0;
            problems += event.chunk->data.size() > 64 * 1024 ? 1 : 0;
            if (event.chunk->offset != end)
                ++gaps;
            sequence = event.chunk->seq;
            end = event.chunk->offset + event.chunk->data.size();
            screen += event.chunk->data;
            ++chunks;
        }
    }
    bool waitFor(const QByteArray &text, int ms = 10000)
    {
        return client->wait(
            [&] {
                apply();
                return screen.contains(text);
            },
            ms);
    }

    ProcessId id;
    QString topic;
    std::unique_ptr<wire::WireClient> client;
    QByteArray screen;
    QString generation;
    qint64 end = 0;
    qint64 sequence = 0;
    int gaps = 0;
    int chunks = 0;
    int problems = 0; // things that must never be
};

} // namespace foundry::test
