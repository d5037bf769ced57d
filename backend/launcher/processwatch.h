// Tells when a process that is not our child has ended (pidfd). Main thread.
#pragma once

#include <QObject>

namespace foundry {

class ProcessWatch final : public QObject {
    Q_OBJECT

public:
    // `ended` comes once; at once when there is no such process.
    explicit ProcessWatch(qint64 pid, QObject *parent = nullptr);
    ~ProcessWatch() override;

Q_SIGNALS:
    void ended();

private:
    int m_file = -1;
};

} // namespace foundry
