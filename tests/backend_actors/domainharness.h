// The host's actors in this process, on a private data folder, with real git and the built-in runner. Waits: tests only.
#pragma once

#include "backend/actors/actorruntime.h"
#include "backend/host/hostconfig.h"
#include "backend/sandboxes/sandboxprovider.h"
#include "models/types/commands.h"
#include "models/types/topic.h"
#include "realtime/protocol/codec.h"
#include "tests/support/gitfixture.h"

#include <QDateTime>
#include <QTest>

#include <atomic>
#include <memory>
#include <mutex>

namespace foundry::test {

class DomainHarness {
public:
    // On a data folder of its own, or on this one (that another process had before).
    explicit DomainHarness(QString dataDir = {});
    ~DomainHarness();

    GitFixture git;
    std::function<qint64()> hostClock = &QDateTime::currentMSecsSinceEpoch; // for start()
    backend::HostMetrics metrics;
    backend::Caller caller = {}; // of what is asked
    // What left for connections.
    struct Ear final : backend::EventSink {
        std::atomic<qint64> events = 0;
        std::atomic<qint64> bytes = 0;
        void event(const QList<backend::ConnectionId> &, const QByteArray &frame) override
        {
            ++events;
            bytes += frame.size();
            const std::lock_guard lock(m_mutex);
            if (m_topic.isEmpty() || !frame.contains(m_topic))
                return;
            m_frames.append(frame);
        }
        // From now on this topic's frames are kept.
        void keep(const QString &topic)
        {
            const std::lock_guard lock(m_mutex);
            m_topic = topic.toUtf8();
            m_frames.clear();
        }
        QList<QByteArray> frames() const
        {
            const std::lock_guard lock(m_mutex);
            return m_frames;
        }
        void close(const QList<backend::ConnectionId> &, const Error &) override { }

    private:
        mutable std::mutex m_mutex;
        QByteArray m_topic;
        QList<QByteArray> m_frames;
    } ear;

    // Environment variables take effect with start().
    void start();
    void stop();
    bool isRunning() const { return m_runtime != nullptr; }
    QString dataDir() const { return m_dataDir.isEmpty() ? git.path(QStringLiteral("data")) : m_dataDir; }
    // Kinds of places beside the work trees; before start().
    backend::SandboxProviders providers;

    backend::ActorAddress organization() const;
    backend::ActorAddress task(const RepoId &repo, const TaskId &task) const;

    // Connects and subscribes.
    void listen(const backend::ActorAddress &actor, const QString &topic);
    // One action; blocks until its answer. `ms`: how long it took.
    Result<QByteArray> call(const backend::ActorAddress &actor, const QString &action, const QByteArray &args, double *ms = nullptr);
    template <class Command>
    Result<QByteArray> command(const backend::ActorAddress &actor, const QString &action, Command value, double *ms = nullptr)
    {
        if (value.requestId.isEmpty())
            value.requestId = makeId<RequestId>();
        return call(actor, action, protocol::encodeArgs(value), ms);
    }

    // Stored rows, read as a client's catch-up.
    template <class T>
    QList<T> rows(const backend::ActorAddress &actor, const QString &topic)
    {
        QList<T> found;
        for (const Entity &entity : allRows(actor, topic)) {
            if (const auto *value = std::get_if<T>(&entity))
                found.append(*value);
        }
        return found;
    }
    QList<Entity> allRows(const backend::ActorAddress &actor, const QString &topic);
    QList<TranscriptEntry> transcript(const backend::ActorAddress &task, const SessionId &session);

    // The scripted agent (SCRIPTED_AGENT names its program) in this mode, known to the organization.
    AgentId addScriptedAgent(const QString &mode, const QStringList &more = {});
    // A ready repository.
    RepoId addRepository(const QString &path);
    std::optional<Repository> repository(const RepoId &id);
    std::optional<TaskSummary> summary(const TaskId &id);
    std::optional<Session> session(const backend::ActorAddress &task, const SessionId &id);
    std::optional<Stage> stage(const backend::ActorAddress &task, const QString &id);

    struct Made {
        TaskId task = makeId<TaskId>();
        SessionId session = makeId<SessionId>();
        backend::ActorAddress address;
        CreateTaskAnswer answer;
        std::optional<Error> error;
        double ms = 0;
    };
    Made createTask(const RepoId &repo, const QString &prompt, const std::function<void(CreateTask &)> &change = {});
    bool waitForStatus(const Made &made, SessionStatus status, int ms = 30000);
    // Answers the first open permission by the kind of its option ("allow_once"); false when none comes.
    bool answerPermission(const Made &made, const QString &kind, int ms = 20000);

private:
    QString m_dataDir;
    std::unique_ptr<backend::ActorRuntime> m_runtime;
    backend::ConnectionId m_lastConnection = 0;
};

} // namespace foundry::test
