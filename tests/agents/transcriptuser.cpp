#include "tests/agents/transcriptuser.h"

#include <QTest>

namespace foundry::test {

using views::TranscriptView;

const PermissionAsk *TranscriptUser::asked() const
{
    for (int row = m_model ? m_model->count() - 1 : -1; row >= 0; --row) {
        if (const auto &ask = m_model->at(row).permission; ask && !ask->answer)
            return &*ask;
    }
    return nullptr;
}

const PermissionAsk *TranscriptUser::permission(const QString &request) const
{
    for (int row = m_model ? m_model->count() - 1 : -1; row >= 0; --row) {
        if (const auto &ask = m_model->at(row).permission; ask && ask->requestId == request)
            return &*ask;
    }
    return nullptr;
}

std::optional<QString> TranscriptUser::answerOf(const QString &request) const
{
    const PermissionAsk *ask = permission(request);
    return ask ? ask->answer : std::nullopt;
}

QString TranscriptUser::kindOf(const QString &request) const
{
    const PermissionAsk *ask = permission(request);
    if (!ask || !ask->answer)
        return {};
    for (const PermissionOption &option : ask->options) {
        if (option.id == *ask->answer)
            return option.kind;
    }
    return {};
}

const TurnEnd *TranscriptUser::turnEnd() const
{
    const auto *last = m_model && m_model->count() > 0 ? &m_model->at(m_model->count() - 1) : nullptr;
    return last && last->turnEnd ? &*last->turnEnd : nullptr;
}

QStringList TranscriptUser::story() const
{
    QStringList lines;
    for (int row = 0; m_model && row < m_model->count(); ++row) {
        const TranscriptEntry &entry = m_model->at(row);
        QString line = entry.kind.text() + QStringLiteral(": ") + entry.text;
        if (entry.error)
            line += entry.error->message;
        if (entry.permission)
            line += entry.permission->title + QStringLiteral(" → ") + entry.permission->answer.value_or(QStringLiteral("?"));
        if (entry.turnEnd)
            line += entry.turnEnd->stopReason;
        lines << line;
    }
    return lines;
}

// The button of this kind of answer; brought on screen.
std::optional<TranscriptView::HotRef> TranscriptUser::button(const QString &kind)
{
    for (int row = m_model ? m_model->count() - 1 : -1; row >= 0; --row) {
        const TranscriptEntry &entry = m_model->at(row);
        if (!entry.permission || entry.permission->answer)
            continue;
        QString option;
        for (const PermissionOption &one : entry.permission->options)
            option = one.kind == kind && option.isEmpty() ? one.id : option;
        m_view->revealEntry(entry.index);
        m_view->flush();
        for (int hot = 0; const views::HotArea *area = m_view->hotArea({entry.index, hot}); ++hot) {
            if (area->kind == views::HotKind::Answer && area->value == option)
                return TranscriptView::HotRef{entry.index, hot};
        }
    }
    return std::nullopt;
}

bool TranscriptUser::answerByMouse(const QString &kind)
{
    const auto wanted = button(kind);
    if (!wanted)
        return false;
    const QPoint inEntry = m_view->hotArea(*wanted)->rect.center().toPoint();
    const QPoint at = m_view->entryRect(m_model->rowOf(wanted->entry)).topLeft() + inEntry;
    if (!m_view->viewport()->rect().contains(at))
        return false;
    QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, at);
    return true;
}

bool TranscriptUser::answerByKeyboard(const QString &kind)
{
    const auto wanted = button(kind);
    if (!wanted)
        return false;
    m_view->setFocus(Qt::TabFocusReason);
    for (int tab = 0; tab < 100 && m_view->focusedHot() != *wanted; ++tab)
        QTest::keyClick(m_view, Qt::Key_Tab);
    if (m_view->focusedHot() != *wanted)
        return false;
    QTest::keyClick(m_view, Qt::Key_Return);
    return true;
}

} // namespace foundry::test
