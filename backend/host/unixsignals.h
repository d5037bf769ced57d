// SIGTERM, SIGINT and SIGHUP as a Qt signal on the main thread. Once it is gone they are ignored: the program ends, and
// that it is asked to once more changes nothing.
#pragma once

#include <QObject>

class QSocketNotifier;

namespace foundry::backend {

class UnixSignals final : public QObject {
    Q_OBJECT

public:
    explicit UnixSignals(QObject *parent = nullptr);
    ~UnixSignals() override;

Q_SIGNALS:
    void terminate(int number);

private:
    int m_pair[2] = {-1, -1};
};

} // namespace foundry::backend
