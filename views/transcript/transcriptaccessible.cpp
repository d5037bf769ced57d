#include "views/transcript/transcriptaccessible.h"

#include "views/transcript/entrytext.h"
#include "views/transcript/transcriptview.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <QHash>

namespace foundry::views {

namespace {

class TranscriptItemAccessible : public QAccessibleInterface {
public:
    TranscriptItemAccessible(TranscriptView *view, qint64 entry)
        : m_view(view)
        , m_entry(entry)
    {
    }

    bool isValid() const override { return m_view && m_view->transcript() && m_view->transcript()->find(m_entry); }
    QObject *object() const override { return nullptr; }
    QAccessibleInterface *parent() const override { return QAccessible::queryAccessibleInterface(m_view); }
    QAccessibleInterface *child(int) const override { return nullptr; }
    QAccessibleInterface *childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface *) const override { return -1; }
    void setText(QAccessible::Text, const QString &) override { }
    QAccessible::Role role() const override { return QAccessible::ListItem; }
    qint64 entry() const { return m_entry; }

    QString text(QAccessible::Text kind) const override
    {
        if (!isValid() || kind != QAccessible::Name)
            return {};
        return entryAccessibleName(*m_view->transcript()->find(m_entry));
    }
    QRect rect() const override
    {
        if (!isValid())
            return {};
        const QRect local = m_view->entryRect(m_view->transcript()->rowOf(m_entry));
        return local.isNull() ? QRect() : QRect(m_view->viewport()->mapToGlobal(local.topLeft()), local.size());
    }
    QAccessible::State state() const override
    {
        QAccessible::State state;
        state.readOnly = true;
        state.selectable = true;
        state.offscreen = rect().isNull();
        return state;
    }

private:
    QPointer<TranscriptView> m_view;
    qint64 m_entry;
};

class TranscriptAccessible : public QAccessibleWidget {
public:
    explicit TranscriptAccessible(TranscriptView *view)
        : QAccessibleWidget(view, QAccessible::List, view->accessibleName())
    {
    }
    ~TranscriptAccessible() override
    {
        for (const QAccessible::Id id : std::as_const(m_items))
            QAccessible::deleteAccessibleInterface(id);
    }

    int childCount() const override { return model() ? model()->count() : 0; }
    QAccessibleInterface *child(int row) const override
    {
        if (row < 0 || row >= childCount())
            return nullptr;
        const qint64 entry = model()->at(row).index;
        const auto known = m_items.constFind(entry);
        if (known != m_items.constEnd())
            return QAccessible::accessibleInterface(*known);
        auto *item = new TranscriptItemAccessible(view(), entry);
        m_items.insert(entry, QAccessible::registerAccessibleInterface(item));
        return item;
    }
    int indexOfChild(const QAccessibleInterface *item) const override
    {
        const auto *mine = dynamic_cast<const TranscriptItemAccessible *>(item);
        return mine && model() ? model()->rowOf(mine->entry()) : -1;
    }
    QAccessibleInterface *childAt(int x, int y) const override
    {
        for (const TranscriptView::Visible &visible : view()->visibleEntries()) {
            QAccessibleInterface *item = child(visible.row);
            if (item && item->rect().contains(x, y))
                return item;
        }
        return nullptr;
    }

private:
    TranscriptView *view() const { return static_cast<TranscriptView *>(widget()); }
    TranscriptModel *model() const { return view() ? view()->transcript() : nullptr; }

    mutable QHash<qint64, QAccessible::Id> m_items;
};

QAccessibleInterface *transcriptInterface(const QString &, QObject *object)
{
    auto *view = qobject_cast<TranscriptView *>(object);
    return view ? new TranscriptAccessible(view) : nullptr;
}

} // namespace

void installTranscriptAccessibility()
{
    static const bool once = [] {
        QAccessible::installFactory(transcriptInterface);
        return true;
    }();
    Q_UNUSED(once)
}

} // namespace foundry::views
