// Asks the desktop portal whether the desktop prefers dark or light, and follows its changes. The session bus is reached
// from a thread of its own, because a bus that hangs must not hold the window. Every answer is optional: without a bus
// or portal nothing is emitted.
#pragma once

#include <QObject>
#include <QThread>

namespace foundry::views {

class DesktopAppearance : public QObject {
    Q_OBJECT
public:
    explicit DesktopAppearance(QObject *parent = nullptr);
    ~DesktopAppearance() override;

    // Call after the first paint. Answers within 200 ms or not at all.
    void start();

Q_SIGNALS:
    void preferenceChanged(bool dark);

private:
    QThread m_thread;
};

} // namespace foundry::views
