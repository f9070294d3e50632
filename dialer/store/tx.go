package store

import (
	"context"
	"database/sql"
	"errors"
)

// tx is the writing connection inside a transaction, with its statements
// prepared once.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// prepare returns the statement of query, prepared on the writing connection.
// The context is the background: a job that was begun is finished.
func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := t.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = stmt
	return stmt, nil
}

// exec runs query and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.Exec(args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// insert runs query and returns the row id that it made.
func (t *tx) insert(query string, args ...any) (int64, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.Exec(args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// get scans the only row of query into dest; false when there is none.
func (t *tx) get(query string, args []any, dest ...any) (bool, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return false, err
	}
	return found(stmt.QueryRow(args...).Scan(dest...))
}

// each calls scan for every row of query.
func (t *tx) each(query string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := t.prepare(query)
	if err != nil {
		return err
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// eachRow calls scan for every row and closes rows.
func eachRow(rows *sql.Rows, scan func(*sql.Rows) error) error {
	for rows.Next() {
		if err := scan(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// found turns the error of a one-row scan into whether there was a row.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
