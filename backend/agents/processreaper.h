// Ends a process group that an earlier run of the host started: SIGTERM, a short grace, SIGKILL, and looks until all of
// it is gone. Does nothing to a process that merely has the same number. A restarted host awaits this before anything
// else writes into that work tree. Lives on one thread with an event loop; looks every 50 ms only while it reaps.
#pragma once

#include "backend/agents/processidentity.h"
#include "models/types/result.h"

#include <QObject>
#include <functional>
#include <memory>

namespace foundry::backend {

struct ReapOutcome {
    bool wasRunning = false; // something of it was still there
    bool killed = false;     // SIGKILL was needed
};

class ProcessReaper : public QObject {
    Q_OBJECT
public:
    explicit ProcessReaper(QObject *parent = nullptr);

    // `done` is called once, later, on this thread; not when this object is destroyed before. The error is
    // agent.timeout when something is still there after the deadline (a process stuck in the kernel).
    void reap(const ProcessIdentity &identity, std::function<void(Result<ReapOutcome>)> done);
    // Milliseconds: how long after SIGTERM comes SIGKILL, and when it is given up.
    void setGrace(int termMs, int deadlineMs);

private:
    int m_termMs = 2000;
    int m_deadlineMs = 10000;
};

} // namespace foundry::backend
