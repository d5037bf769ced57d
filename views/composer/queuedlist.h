// What waits, above the composer: the session's prompts that wait for the turn to end, and what of the task waits for the
// host, with how far it is. Read, edit, remove; of what nobody can tell whether it arrived the user decides. GUI thread.
#pragma once

#include "models/types/outboxitem.h"
#include "models/types/session.h"

#include "views/common/themeprovider.h"

#include <QPointer>
#include <QWidget>

class QHBoxLayout;
class QVBoxLayout;

namespace foundry {
class QueuedPromptModel;
}

namespace foundry::views {

class QueuedList : public QWidget {
    Q_OBJECT
public:
    explicit QueuedList(ThemeProvider *theme, QWidget *parent = nullptr);

    void setQueue(QueuedPromptModel *queue);
    void setSession(const SessionId &session);
    // Messages among them are found in the queue by their id; others have a row of their own.
    void setOutbox(const QList<OutboxItem> &items);
    int count() const { return m_count; }
    // The prompt that is in the composer for editing is marked; empty: none.
    void setEdited(const QueueId &queued);

Q_SIGNALS:
    void editRequested(const foundry::QueueId &queued, const QString &text);
    void dropRequested(const foundry::QueueId &queued);
    void countChanged(int count);
    void dropUnsentRequested(const foundry::RequestId &id);
    void sendAgainRequested(const foundry::RequestId &id);
    void takeBackRequested(const foundry::RequestId &id);

private:
    struct Row {
        QWidget *widget;
        QHBoxLayout *line;
    };

    void rebuild();
    Row addRow(Icon icon, ColorToken color, const QString &text, const QString &state, ColorToken stateColor, const QString &why);
    void addQueued(const QueuedPrompt &queued, const OutboxItem *unsent);
    void addUnsent(const OutboxItem &item);

    ThemeProvider *m_theme;
    QPointer<QueuedPromptModel> m_queue;
    SessionId m_session;
    QueueId m_edited;
    QList<OutboxItem> m_outbox;
    QVBoxLayout *m_rows;
    int m_count = 0;
};

} // namespace foundry::views
