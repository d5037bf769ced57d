// The outbox and the task page: what of the shown task waits for the host, and what the user does about it. GUI thread.
#pragma once

#include "models/types/outboxitem.h"
#include "realtime/commands/hostclient.h"

#include <QTimer>

namespace foundry::views {
class TaskPage;
}

namespace foundry::app {

class OutboxBinding : public QObject {
    Q_OBJECT

public:
    // Both outlive it. Without an outbox it does nothing.
    OutboxBinding(views::TaskPage &page, realtime::HostClient &host, QObject *parent = nullptr);

private:
    void refresh();
    OutboxItem itemOf(const realtime::OutboxEntry &entry) const;
    void changed(const RequestId &id);

    views::TaskPage &m_page;
    realtime::HostClient &m_host;
    realtime::Outbox *m_outbox;
    QTimer m_soon;  // several changes, one look
    QTimer m_later; // what was given a moment ago is of interest only when it is still there then
};

} // namespace foundry::app
