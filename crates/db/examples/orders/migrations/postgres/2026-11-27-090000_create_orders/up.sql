-- An order is fulfilled by one job; deleting the job deletes the order.
CREATE TABLE orders (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL UNIQUE REFERENCES jobs (job_id) ON DELETE CASCADE,
    customer TEXT NOT NULL CONSTRAINT orders_customer_not_empty CHECK (customer <> '')
);
