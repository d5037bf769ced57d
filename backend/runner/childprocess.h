// A program in its own process group: started with an argument list, its output as text, ended as a group. When the
// runner dies the program dies with it.
#pragma once

#include <QObject>
#include <QProcess>
#include <QStringDecoder>
#include <QTimer>

namespace foundry::runner {

class ChildProcess : public QObject {
    Q_OBJECT
public:
    explicit ChildProcess(QObject *parent = nullptr);
    ~ChildProcess() override;

    void start(const QStringList &command, const QString &workingDirectory);
    // SIGTERM to the group, SIGKILL after 2 s; finished() comes.
    void stop();
    bool wasStopped() const { return m_stopped; }

Q_SIGNALS:
    void output(const QString &text); // without escape sequences
    // `code` when it exited by itself (`signal` 0); `error` when it could not be started.
    void finished(int code, int signal, const QString &error);

private:
    void kill(int signal);
    void readOutput();

    QProcess m_process;
    QTimer m_grace;
    QStringDecoder m_decoder{QStringDecoder::Utf8};
    QString m_held; // an escape sequence that is not complete yet
    qint64 m_group = 0;
    bool m_stopped = false;
};

// Removes ANSI escape sequences and other control characters; `held` keeps an incomplete one for the next piece. A
// carriage return without line feed becomes a line feed.
QString plainOutput(const QString &text, QString *held);

} // namespace foundry::runner
