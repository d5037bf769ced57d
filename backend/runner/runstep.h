// /run and /test: a program in the work tree, asked for first, its output streamed.
#pragma once

#include "backend/runner/childprocess.h"
#include "backend/runner/step.h"

#include <QElapsedTimer>
#include <QTimer>

namespace foundry::runner {

class RunStep : public Step {
    Q_OBJECT
public:
    RunStep(Turn &ofTurn, Command asked);
    void start() override;
    void cancel() override;

private:
    void run(const QStringList &argv);
    void showOutput();
    void ended(int code, int signal, const QString &error);
    QString outputText(qsizetype limit) const;

    ChildProcess m_child;
    QTimer m_show; // output is shown at most every 150 ms
    QElapsedTimer m_clock;
    QString m_callId;
    QString m_shown; // the command, for people
    QString m_head;  // the beginning of the output, and the end of it
    QString m_tail;
    qint64 m_dropped = 0;
    bool m_running = false;
    bool m_done = false;
};

} // namespace foundry::runner
