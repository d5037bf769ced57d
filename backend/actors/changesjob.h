// Derives a task's changes from git in the background and writes ChangesHeader and FileChange rows by difference, so that
// a refresh costs what has changed. Requests are gathered, requests meanwhile are one more run. Reads git only, in the
// task's lane. What the work tree held when a turn began is noted beside, to tell what is new in the last turn. Diff
// pages are kept until the next run.
#pragma once

#include "backend/actors/rowwriter.h"
#include "backend/actors/taskstore.h"
#include "backend/git/gitlane.h"
#include "backend/git/gitoperations.h"

#include <QElapsedTimer>
#include <QTimer>

namespace foundry::backend {

class ChangesJob {
public:
    struct Events {
        std::function<void(Transaction &)> changed; // the counts that others show moved (inside the transaction)
        std::function<void()> refreshed;            // a run is over, its rows are written
    };
    ChangesJob(ActorContext &context, TaskStore &store, GitEnvironment git, GitLane &lane, Events events);

    static QString schema();
    static QString topic() { return QStringLiteral("changes"); }

    // Soon, coalesced: within `delayMs` of the first request; one that is asked for (0) at once, others not before the
    // last run has been over for twice the time it took.
    void request(int delayMs);
    // The user asks: says so in the header right away.
    ChangesHeader ask(Transaction &tx);
    // A turn begins: notes what the work tree holds. Beside the turn, which does not wait for it.
    void turnStarts(Transaction &tx);
    // The work tree is given back: no run will say that it is over.
    void placeGone(Transaction &tx);
    bool isRunning() const { return m_running || m_timer->isActive() || m_writing; }
    std::optional<DiffStat> stat() const;

    // A stored page, or nothing; then fetchDiff() gets it and says `ready` on the topic.
    std::optional<QByteArray> storedDiff(const GetDiff &asked) const;
    Result<> fetchDiff(const GetDiff &asked);

private:
    void run();
    void finished(const Result<Changes> &changes);
    void failed(const Error &error);
    void conclude();
    void load();
    QString base() const;
    QString turnFile() const;
    TurnMark turnMark() const;
    static QString keyOf(const GetDiff &asked);
    void keepDiff(const GetDiff &asked, const QByteArray &page);

    ActorContext &m_context;
    TaskStore &m_store;
    GitEnvironment m_git;
    GitLane &m_lane;
    Events m_events;
    RowWriter m_rows;
    QTimer *m_timer;
    QTimer *m_slow; // until a run is worth a sign that it is under way
    QElapsedTimer m_runTime;
    QElapsedTimer m_rest; // since the last run
    qint64 m_restMs = 0;
    QHash<QString, FileChange> m_known; // the rows, so that a run compares in memory
    bool m_loaded = false;
    QHash<QString, QList<RequestId>> m_fetching;
    quint64 m_turns = 0;    // begun since this start
    quint64 m_runTurns = 0; // of them, when the present run began
    bool m_running = false;
    bool m_writing = false;
    bool m_again = false;
};

} // namespace foundry::backend
