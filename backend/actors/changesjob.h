// Derives a task's changes from git in the background and writes ChangesHeader and FileChange rows by difference. One
// git at a time; requests meanwhile are one more run. Reads git only. Diff pages are kept until the next run.
#pragma once

#include "backend/actors/taskstore.h"
#include "backend/git/gitoperations.h"

#include <QPointer>
#include <QTimer>

namespace foundry::backend {

class ChangesJob {
public:
    // `changed`: rows or counts moved (inside the transaction that wrote them).
    ChangesJob(ActorContext &context, TaskStore &store, GitEnvironment git, std::function<void(Transaction &)> changed);

    static QString schema();
    static QString topic() { return QStringLiteral("changes"); }

    // Soon, coalesced: within `delayMs` of the first request.
    void request(int delayMs);
    bool isRunning() const { return m_running || m_timer->isActive(); }
    std::optional<DiffStat> stat() const;

    // A stored page, or nothing; then fetch() gets it and says `ready` on the topic.
    std::optional<QByteArray> storedDiff(const GetDiff &asked) const;
    void fetchDiff(const GetDiff &asked);

private:
    void run();
    void finished(const Result<Changes> &changes);
    QString base() const;
    static QString keyOf(const GetDiff &asked);
    void keepDiff(const GetDiff &asked, const QByteArray &page);

    ActorContext &m_context;
    TaskStore &m_store;
    GitEnvironment m_git;
    std::function<void(Transaction &)> m_changed;
    QTimer *m_timer;
    QHash<QString, QList<RequestId>> m_fetching;
    bool m_running = false;
    bool m_again = false;
};

} // namespace foundry::backend
